"""The other buttons of the Edit page keep what was typed, with a script or without (R-EDIT)."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlmodel import select

from kartramail import create_app
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.outbox.models import Message, MessageState, SourceKind
from kartramail.senders.service import load_gateway
from tests.senders.reading import CARD, EDIT, text_of, value_of
from tests.support.cast import Actor, make_alice

SEND_LINK = f"{CARD}/kartramail/send-link"
HELLO = {
    "sender_name": "Doe Inc.",
    "accept_low_delivery": "y",
    "send_from": "hello@doeinc.com",
    "reply_to": "hello@doeinc.com",
}
TYPED = {
    "sender_name": "Not saved yet",
    "accept_low_delivery": "y",
    "send_from": "other@doeinc.com",
    "reply_to": "support@elsewhere.com",
}


def messages(db: Database, kind: SourceKind) -> list[Message]:
    with db.reading() as session:
        return list(session.exec(select(Message).where(Message.source_kind == kind)))


def assert_kept(page: object, db: Database, alice: Actor) -> None:
    for name, value in TYPED.items():
        assert value_of(page, name) == value  # type: ignore[arg-type]
    with db.reading() as session:
        assert load_gateway(session, alice.account_id).name == "Doe Inc."


def test_they_belong_to_the_sender_form(alice: Actor) -> None:
    alice.post(EDIT, HELLO)
    tree = html.fromstring(alice.get(EDIT).text)
    buttons = tree.xpath("//button[@name='beside']")
    assert [button.get("value") for button in buttons] == ["link", "test", "sample"]
    for button in buttons:
        assert button.get("form") == "sender-form"
        assert button.get("hx-post").startswith(f"{CARD}/kartramail/")


@pytest.mark.parametrize(
    ("button", "kind"), [("test", SourceKind.TEST), ("sample", SourceKind.SAMPLE)]
)
def test_a_test_without_javascript_keeps_what_was_typed(
    alice: Actor, db: Database, button: str, kind: SourceKind
) -> None:
    page = alice.post(EDIT, TYPED | {"beside": button})
    assert page.status_code == 200
    assert_kept(page, db, alice)
    assert len(messages(db, kind)) == 1
    assert "On its way" in text_of(page)


def test_how_it_went_is_looked_up_without_losing_it_either(alice: Actor, db: Database) -> None:
    first = alice.post(EDIT, TYPED | {"beside": "test"})
    tree = html.fromstring(first.text)
    (look,) = tree.xpath("//noscript//button[@name='beside']/@value")
    (message,) = messages(db, SourceKind.TEST)
    with db.transaction() as session:
        row = session.get(Message, message.id)
        assert row is not None
        row.state, row.server, row.reply = MessageState.SENT, "mx.test", "250 Thank you"
    page = alice.post(EDIT, TYPED | {"beside": look})
    assert_kept(page, db, alice)
    assert "mx.test took it" in text_of(page)
    assert len(messages(db, SourceKind.TEST)) == 1


def test_charlie_cannot_look_at_alices_test(alice: Actor, charlie: Actor, db: Database) -> None:
    alice.post(EDIT, TYPED | {"beside": "test"})
    (message,) = messages(db, SourceKind.TEST)
    page = charlie.post(EDIT, TYPED | {"beside": f"look:{show_id(message.id)}"})
    assert page.status_code == 200
    assert "On its way" not in text_of(page)


@pytest.mark.parametrize("button", ["look:", "look:'", "nonsense", ""])
def test_an_unknown_button_does_nothing(alice: Actor, db: Database, button: str) -> None:
    page = alice.post(EDIT, TYPED | {"beside": button})
    assert page.status_code == 200
    assert_kept(page, db, alice)


def test_send_again_without_javascript_keeps_what_was_typed(alice: Actor, db: Database) -> None:
    alice.post(EDIT, HELLO)
    page = alice.post(EDIT, TYPED | {"beside": "link"})
    assert_kept(page, db, alice)
    assert "A new link is on its way to hello@doeinc.com" in text_of(page)


def test_send_again_answers_within_the_page(alice: Actor) -> None:
    alice.post(EDIT, HELLO)
    alice.get(CARD)  # takes the notices
    fragment = alice.post(SEND_LINK, headers={"HX-Request": "true"})
    assert fragment.status_code == 200
    assert "<html" not in fragment.text
    assert "A new link is on its way to hello@doeinc.com" in text_of(fragment)
    assert "A new link" not in text_of(alice.get(CARD))  # said once


def test_where_nothing_is_to_prove_it_says_so(alice: Actor) -> None:
    fragment = alice.post(SEND_LINK, headers={"HX-Request": "true"})
    assert "nothing left to prove" in text_of(fragment)


def test_a_lost_token_sends_nothing_and_keeps_what_was_typed(alice: Actor, db: Database) -> None:
    page = alice.client.post(EDIT, data=TYPED | {"beside": "test", "csrf_token": "old"})
    assert page.status_code == 422
    assert_kept(page, db, alice)
    assert messages(db, SourceKind.TEST) == []


def test_a_lost_session_sends_nothing_and_keeps_what_was_typed(
    client: FlaskClient, db: Database
) -> None:
    page = client.post(EDIT, data=TYPED | {"beside": "test"})
    assert page.status_code == 401
    assert "What you typed is kept" in text_of(page)
    assert messages(db, SourceKind.TEST) == []


@pytest.fixture
def limited(settings: Settings) -> Iterator[Flask]:
    """The application with its rate limits on."""
    app = create_app(settings.model_copy(update={"rate_limits": True}))
    yield app
    app.extensions["kartramail"].db.dispose()


def test_the_limit_is_one_for_both_ways(limited: Flask) -> None:
    alice = make_alice(limited)
    db = limited.extensions["kartramail"].db
    for _ in range(5):
        alice.post(f"{CARD}/kartramail/test")
    page = alice.post(EDIT, TYPED | {"beside": "test"})
    assert_kept(page, db, alice)
    assert "Wait a minute" in text_of(page)
    assert len(messages(db, SourceKind.TEST)) == 5
