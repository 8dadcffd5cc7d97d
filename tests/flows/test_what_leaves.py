"""What leaves when: before and after confirmation, the test, the sample, and their headers."""

from urllib.parse import urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html

from kartramail.installation import Installation
from tests.flows.conftest import Deliver, read_mail
from tests.support.cast import post
from tests.support.smtp_server import Received

pytestmark = pytest.mark.usefixtures("cheap_hashing")

PASSWORD = "a sentence that Jane remembers"
FIRST_HEADERS = {"From", "To", "Subject", "Date", "Message-ID", "X-KartraMail-Message"}


def sign_up(client: FlaskClient, email: str, business_name: str = "Doe Inc.") -> None:
    typed = {
        "business_name": business_name,
        "full_name": "Jane Doe",
        "email": email,
        "password": PASSWORD,
    }
    answer = post(client, "/signup", typed)
    assert (answer.status_code, answer.location) == (303, "/signup/sent")


def link_in(received: Received) -> str:
    """The path of the link that somebody reads in the mail."""
    body = read_mail(received).get_body(("html",))
    assert body is not None
    (link,) = html.fromstring(body.get_content()).xpath("//a[contains(@href, '/confirm/')]/@href")[
        :1
    ]
    return urlsplit(str(link)).path


def make_key(client: FlaskClient) -> str:
    page = post(client, "/settings/api-keys", {"name": "Shop"})
    return str(html.fromstring(page.text).xpath("string(//*[@id='new-key-value'])")).strip()


def post_message(client: FlaskClient, key: str, **message: str) -> dict[str, object]:
    answer = client.post(
        "/api/v1/messages", json=message, headers={"Authorization": f"Bearer {key}"}
    )
    assert answer.status_code == 202, answer.text
    taken: dict[str, object] = answer.get_json()
    return taken


def confirm(client: FlaskClient, mails: list[Received]) -> None:
    (mail,) = mails
    assert read_mail(mail)["From"].addresses[0].addr_spec == "notifications@kartra.com"
    path = link_in(mail)
    assert client.get(path).status_code == 200
    assert post(client, path, {"password": PASSWORD}).location == "/onboarding"


def test_a_link_works_in_another_browser_and_mail_has_each_header_once(
    app: Flask, client: FlaskClient, deliver: Deliver
) -> None:
    sign_up(client, "jane@doeinc.com")
    confirm(app.test_client(), mails := deliver())  # in another browser
    assert len(mails) == 1
    assert post(client, "/login", {"email": "jane@doeinc.com", "password": PASSWORD}).location
    taken = post_message(
        client,
        make_key(client),
        to="ann@example.net",
        subject="Your order, {{ name }}",
        text="Thank you.\n",
        html="<p>Thank <b>you</b>.</p>",
    )
    (received,) = deliver()
    assert received.rcpt_to == ("ann@example.net",)
    mail = read_mail(received)
    assert mail["From"] == '"Doe Inc." <jane@doeinc.com>'
    assert mail["Reply-To"] == "jane@doeinc.com"
    assert mail["X-KartraMail-Message"] == taken["id"]
    assert set(mail.keys()) >= FIRST_HEADERS
    assert len(mail.keys()) == len(set(mail.keys()))


def test_before_confirmation_nothing_but_our_own_mail_leaves(
    client: FlaskClient, deliver: Deliver, installation: Installation
) -> None:
    sign_up(client, "jane@doeinc.com")
    answer = post(client, "/login", {"email": "jane@doeinc.com", "password": PASSWORD})
    assert answer.location == "/signup/sent"
    for path in ("/settings/api-keys", "/settings/integrations/kartramail/test"):
        assert "/login" in post(client, path, {"name": "Shop"}).location
    assert [received.rcpt_to for received in deliver()] == [("jane@doeinc.com",)]


def test_the_test_comes_from_the_platform_whatever_the_form_holds(
    client: FlaskClient, deliver: Deliver
) -> None:
    """R-TEST and R-SAMPLE, one beside the other."""
    sign_up(client, "jane@doeinc.com")
    confirm(client, deliver())
    path = "/settings/integrations/kartramail"
    typed = {
        "sender_name": "X",
        "accept_low_delivery": "y",
        "send_from": "x@doeinc.com",
        "reply_to": "x@doeinc.com",
    }
    assert post(client, f"{path}/test", typed).status_code == 303
    assert post(client, f"{path}/sample", typed).status_code == 303
    test, sample = sorted(map(read_mail, deliver()), key=lambda mail: mail["Subject"] > "Th")
    assert test["From"].addresses[0].addr_spec == "notifications@kartra.com"
    assert sample["From"].addresses[0].addr_spec == "jane@doeinc.com"
    assert {mail["To"] for mail in (test, sample)} == {"jane@doeinc.com"}
    assert "notifications@kartra.com" in str(test.get_body(("plain",)))
