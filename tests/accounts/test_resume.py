"""What was typed over a lost session comes through the sign-in page, and is only shown (R-EDIT)."""

import re
import secrets
from collections.abc import Iterator

import pytest
from flask import Flask, session
from flask.testing import FlaskClient

from kartramail.accounts.models import Membership, Role
from kartramail.ids import show_id
from kartramail.installation import Installation
from kartramail.web.resume import BROWSER_KEY, resumed, stash, unstash
from tests.senders.reading import text_of, value_of
from tests.support.cast import PASSWORD, Actor, post, sign_in

PATH = "/settings/integrations/kartramail/edit"
FIELDS = {"sender_name": "Doe & <Sons>", "reply_to": "ä@doeinc.com"}
TYPED = {
    "sender_name": "Typed over night",
    "send_from": "alice@doeinc.com",
    "reply_to": "help@doeinc.com",
}


@pytest.fixture
def in_browser(app: Flask) -> Iterator[None]:
    """Within a request of some browser."""
    with app.test_request_context():
        yield


def resume_text(page: str) -> str:
    """The text that a sign-in page carries."""
    found = re.search(r'name="resume"[^>]*value="([^"]*)"', page)
    assert found is not None
    return found[1]


@pytest.mark.usefixtures("in_browser")
def test_it_brings_back_path_and_fields() -> None:
    text = stash(PATH, FIELDS)
    kept = unstash(text)
    assert kept is not None
    assert (kept.path, kept.fields) == (PATH, FIELDS)
    here = resumed(PATH, text)
    assert here is not None
    assert here.fields == FIELDS
    assert resumed("/settings/account", text) is None


@pytest.mark.usefixtures("in_browser")
@pytest.mark.parametrize("text", [None, "", "x", "a.b.c", "x" * 10_000, "\x00"])
def test_what_is_not_ours_is_nothing(text: str | None) -> None:
    assert unstash(text) is None


@pytest.mark.usefixtures("in_browser")
def test_a_changed_text_is_nothing() -> None:
    text = stash(PATH, FIELDS)
    middle = len(text) // 2  # the last character has bits that mean nothing
    changed = "A" if text[middle] != "A" else "B"
    assert unstash(text[:middle] + changed + text[middle + 1 :]) is None


@pytest.mark.usefixtures("in_browser")
def test_too_much_is_not_carried() -> None:
    """It travels in an address, whose line servers cut at about 4,000 characters."""
    assert stash(PATH, {"sender_name": secrets.token_hex(4000)}) == ""


@pytest.mark.usefixtures("in_browser")
def test_it_ends_after_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    text = stash(PATH, FIELDS)
    monkeypatch.setattr("kartramail.web.resume.MAX_AGE", -1)
    assert unstash(text) is None


@pytest.mark.usefixtures("in_browser")
def test_it_is_good_in_the_browser_that_it_was_made_in_only() -> None:
    text = stash(PATH, FIELDS)
    session[BROWSER_KEY] = "of another browser"
    assert unstash(text) is None
    session.pop(BROWSER_KEY)
    assert unstash(text) is None


def test_nobody_can_plant_values_by_a_link(app: Flask, alice: Actor, client: FlaskClient) -> None:
    """Charlie makes a text in his browser, and sends Alice the link that it gives."""
    charlies = client.post(PATH, data=TYPED | {"sender_name": "Charlie was here"})
    text = resume_text(charlies.text)
    assert text
    for browser in (alice.client, app.test_client()):
        sign_in(browser, alice.user_id, alice.account_id)
        page = browser.get(f"{PATH}?resume={text}")
        assert "Charlie was here" not in page.text
        assert "before you signed in" not in page.text
    answer = post(
        app.test_client(),
        "/login",
        {"email": alice.email, "password": PASSWORD, "resume": text},
    )
    assert answer.location == "/"


def come_back(client: FlaskClient, actor: Actor, sent: dict[str, str]) -> str:
    """Send the form without a session, sign in, and follow the way back; returns the page."""
    page = client.post(PATH, data=sent)
    assert page.status_code == 401
    form = {"email": actor.email, "password": PASSWORD, "resume": resume_text(page.text)}
    answer = post(client, "/login", form)
    assert answer.location.startswith(f"{PATH}?resume=")
    return str(client.get(answer.location).text)


def test_a_lost_session_brings_back_what_was_typed(client: FlaskClient, alice: Actor) -> None:
    sent = TYPED | {"opened_in": show_id(alice.account_id), "csrf_token": "of the night"}
    page = come_back(client, alice, sent)
    assert "Typed over night" in page
    assert "Not saved yet" in page


def test_it_stays_good_when_the_page_is_loaded_again(client: FlaskClient, alice: Actor) -> None:
    page = client.post(PATH, data=TYPED)
    form = {"email": alice.email, "password": PASSWORD, "resume": resume_text(page.text)}
    back = post(client, "/login", form).location
    for _ in range(2):
        assert "Typed over night" in client.get(back).text


def test_signing_out_ends_it(client: FlaskClient, alice: Actor) -> None:
    page = client.post(PATH, data=TYPED)
    form = {"email": alice.email, "password": PASSWORD, "resume": resume_text(page.text)}
    back = post(client, "/login", form).location
    post(client, "/logout")
    post(client, "/login", {"email": alice.email, "password": PASSWORD})
    assert "Typed over night" not in client.get(back).text


def test_what_somebody_else_typed_in_this_browser_is_not_shown(
    client: FlaskClient, alice: Actor, charlie: Actor
) -> None:
    """Alice's session ended on a shared machine, and Charlie signs in there."""
    page = come_back(client, charlie, TYPED | {"opened_in": show_id(alice.account_id)})
    assert "Typed over night" not in page


def test_what_was_typed_in_another_account_says_so(
    client: FlaskClient, alice: Actor, charlie: Actor, installation: Installation
) -> None:
    """Charlie is in Alice's account, too, where the form was opened; he comes back to his own."""
    with installation.db.transaction() as database_session:
        database_session.add(
            Membership(account_id=alice.account_id, user_id=charlie.user_id, role=Role.MEMBER)
        )
    page = client.post(PATH, data=TYPED | {"opened_in": show_id(alice.account_id)})
    form = {"email": charlie.email, "password": PASSWORD, "resume": resume_text(page.text)}
    shown = client.get(post(client, "/login", form).location)
    assert value_of(shown, "sender_name") == "Typed over night"
    words = text_of(shown)
    assert "You are working in Your Company now. This form was opened in Doe Inc." in words
    there = post(
        client,
        "/account/switch",
        {"account": show_id(alice.account_id), "resume": resume_text(shown.text)},
    )
    back = client.get(there.location)
    assert value_of(back, "sender_name") == "Typed over night"
    assert "This form was opened in" not in text_of(back)


def test_a_forged_one_leads_home(alice: Actor, client: FlaskClient) -> None:
    form = {"email": alice.email, "password": PASSWORD, "resume": "https://evil.example"}
    assert post(client, "/login", form).location == "/"
