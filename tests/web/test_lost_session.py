"""A form that is sent after the session ended: nothing happens, and the way back works (R-EDIT)."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from tests.senders.reading import CARD, EDIT, text_of
from tests.support.cast import PASSWORD, Actor, post

TEST = f"{CARD}/kartramail/test"
SEND_LINK = f"{CARD}/kartramail/send-link"
ACCOUNT = "/settings/account"

pytestmark = pytest.mark.usefixtures("cheap_hashing")


def next_of(location: str) -> str:
    return parse_qs(urlsplit(location).query)["next"][0]


@pytest.mark.parametrize("path", [TEST, SEND_LINK, f"{CARD}/kartramail/sample"])
@pytest.mark.parametrize("token", [True, False])
def test_a_button_of_a_page_that_holds_input_leads_nowhere(
    client: FlaskClient, path: str, token: bool
) -> None:
    """The page says itself that one is signed out, and keeps what was typed."""
    headers = {"HX-Request": "true"}
    answer = post(client, path, headers=headers) if token else client.post(path, headers=headers)
    assert answer.status_code == 401
    assert "HX-Redirect" not in answer.headers


@pytest.mark.parametrize(
    ("referer", "comes_back_to"),
    [
        (f"http://localhost{CARD}", CARD),
        (f"http://localhost{EDIT}?resume=x", EDIT),
        ("http://localhost/settings/profile/name", "/"),  # shown there, and no page of its own
        (f"http://evil.example{CARD}", "/"),
        ("http://localhost//evil.example/", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_to_the_page_with_the_button(
    client: FlaskClient, alice: Actor, referer: str, comes_back_to: str
) -> None:
    answer = client.post(TEST, headers={"Referer": referer})
    assert answer.status_code == 302
    assert next_of(answer.location) == comes_back_to
    form = {"email": alice.email, "password": PASSWORD, "next": next_of(answer.location)}
    back = post(client, "/login", form)
    assert back.location == comes_back_to
    assert client.get(back.location).status_code == 200


def test_a_page_that_was_asked_for_is_shown_after_signing_in(client: FlaskClient) -> None:
    assert next_of(client.get("/settings/team?x=1").location) == "/settings/team?x=1"


def test_what_was_typed_into_the_account_comes_back(client: FlaskClient, alice: Actor) -> None:
    typed = {
        "business_name": "Doe & Daughters",
        "postal_address": "1 Main Street\r\nDoetown",
        "time_zone": "Europe/Berlin",
        "version": "1",
    }
    page = client.post(ACCOUNT, data=typed)
    assert page.status_code == 401
    assert "What you typed is kept" in text_of(page)
    text = re.search(r'name="resume"[^>]*value="([^"]+)"', page.text)
    assert text is not None
    form = {"email": alice.email, "password": PASSWORD, "resume": text[1]}
    back = client.get(post(client, "/login", form).location)
    assert "Not saved yet: press Save" in text_of(back)
    assert 'value="Doe &amp; Daughters"' in back.text
    assert "Doetown" in back.text
    assert re.search(r'<option selected value="Europe/Berlin"', back.text)
    assert 'name="version" type="hidden" value="1"' in back.text
    assert "Changed the account" not in client.get(ACCOUNT).text


def test_another_site_cannot_plant_values_into_the_account(client: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    page = client.post(ACCOUNT, data={"business_name": "Evil"}, headers=headers)
    assert (page.status_code, page.location) == (303, ACCOUNT)
    assert "Set-Cookie" not in page.headers
