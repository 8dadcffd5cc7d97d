""" "Check your mail" (R-SIGNUP): the first tab notices the confirmation, at a bounded rate."""

import re

from flask import Flask
from flask.testing import FlaskClient

from kartramail.installation import Installation
from tests.conftest import make_settings
from tests.onboarding.test_sign_up import FIELDS, sign_up
from tests.support.cast import post
from tests.support.mailbox import newest_link

FRAGMENT = {"HX-Request": "true"}


def confirm(browser: FlaskClient, installation: Installation) -> None:
    link = newest_link(installation, "jane@doeinc.com")
    assert post(browser, link, {"password": FIELDS["password"]}).status_code == 303


def test_without_a_sign_up_it_leads_to_one(client: FlaskClient) -> None:
    assert client.get("/signup/sent").location == "/signup"


def test_the_first_tab_notices_a_confirmation_in_another_browser(
    app: Flask, client: FlaskClient, installation: Installation
) -> None:
    sign_up(client)
    assert "Your address is confirmed" not in client.get("/signup/sent", headers=FRAGMENT).text
    confirm(app.test_client(), installation)
    fragment = client.get("/signup/sent?look=4", headers=FRAGMENT).text
    assert "Your address is confirmed" in fragment
    assert 'href="/login"' in fragment
    assert "hx-get" not in fragment


def test_in_the_same_browser_the_first_tab_goes_on(
    client: FlaskClient, installation: Installation
) -> None:
    sign_up(client)
    confirm(client, installation)
    answer = client.get("/signup/sent", headers=FRAGMENT)
    assert answer.headers["HX-Redirect"] == "/onboarding"


def test_without_javascript_there_is_a_link(
    app: Flask, client: FlaskClient, installation: Installation
) -> None:
    sign_up(client)
    assert "I have confirmed" in client.get("/signup/sent").text
    assert "not confirmed yet" in client.get("/signup/sent?look=0").text
    confirm(app.test_client(), installation)
    assert client.get("/signup/sent?look=0").location == "/login"


def test_it_asks_ever_more_rarely(client: FlaskClient) -> None:
    sign_up(client)
    waits = []
    for look in (0, 1, 10, 1000, -7):
        fragment = client.get(f"/signup/sent?look={look}", headers=FRAGMENT).text
        waits.append(int(re.findall(r"delay:(\d+)s", fragment)[0]))
    assert waits == [3, 4, 13, 30, 3]


def test_a_wrong_address_is_changed_without_typing_all_again(
    client: FlaskClient,
) -> None:
    sign_up(client)
    page = client.get("/signup?change").text
    assert 'value="Doe Inc."' in page
    assert 'value="jane@doeinc.com"' in page
    assert FIELDS["password"] not in page


def test_names_that_would_burst_the_cookie_are_left_out(client: FlaskClient) -> None:
    answer = sign_up(client, business_name="𝔻𝕠𝕖 " * 50, full_name="ジェーン" * 45)
    assert answer.status_code == 303
    assert all(len(header) < 4093 for header in answer.headers.getlist("Set-Cookie"))
    assert "jane@doeinc.com" in client.get("/signup/sent").text


def test_the_test_inbox_is_one_click_away(client: FlaskClient) -> None:
    sign_up(client)
    assert 'href="/catcher"' in client.get("/signup/sent").text


def test_many_mails_to_one_address_are_refused(database_url: str) -> None:
    """R-SAFE: nobody's mailbox is flooded from here."""
    from kartramail import create_app

    app = create_app(make_settings(database_url, rate_limits=True, dns_timeout=0.05))
    statuses = [
        post(app.test_client(), "/forgot", {"email": "Jane@doeinc.com "}).status_code
        for _ in range(7)
    ]
    app.extensions["kartramail"].db.dispose()
    assert statuses == [303] * 6 + [429]
