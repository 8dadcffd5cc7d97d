"""R-TEST, R-SAMPLE: a message to whoever is signed in, and its answer on the same page."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlmodel import select

from kartramail import create_app
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.outbox.models import Message, MessageState, SourceKind
from tests.senders.reading import CARD, EDIT, text_of
from tests.support.cast import Actor, make_alice

TEST = "/settings/integrations/kartramail/test"
SAMPLE = "/settings/integrations/kartramail/sample"
PROGRESS = "/settings/integrations/kartramail/progress"
HTMX = {"HX-Request": "true"}


def the_message(db: Database) -> Message:
    with db.reading() as session:
        return session.exec(select(Message)).one()


def end(db: Database, state: MessageState, reply: str) -> None:
    with db.transaction() as session:
        message = session.exec(select(Message)).one()
        message.state, message.server, message.reply = state, "mail.doeinc.com", reply
        message.tries = 1
        session.add(message)


@pytest.mark.parametrize(("path", "kind"), [(TEST, SourceKind.TEST), (SAMPLE, SourceKind.SAMPLE)])
def test_it_goes_to_whoever_is_signed_in(
    bob: Actor, db: Database, path: str, kind: SourceKind
) -> None:
    """Whatever the form holds: the address cannot be chosen."""
    bob.post(path, {"send_from": "eve@example.net", "to": "eve@example.net"}, headers=HTMX)
    message = the_message(db)
    assert message.to_addr == "bob@doeinc.com"
    assert message.source_kind is kind
    assert message.account_id == bob.account_id


def test_the_answer_follows_the_message_once_a_second(alice: Actor, db: Database) -> None:
    fragment = alice.post(TEST, headers=HTMX).get_data(as_text=True)
    shown = show_id(the_message(db).id)
    assert "<html" not in fragment
    assert f'hx-get="{PROGRESS}/{shown}?looks=1"' in fragment
    assert 'hx-trigger="load delay:1s"' in fragment


def test_it_says_what_the_server_said(alice: Actor, db: Database) -> None:
    alice.post(TEST, headers=HTMX)
    shown = show_id(the_message(db).id)
    end(db, MessageState.SENT, "250 2.0.0 Ok: queued as 4711")
    fragment = alice.get(f"{PROGRESS}/{shown}?looks=1", headers=HTMX)
    words = text_of(fragment)
    assert "mail.doeinc.com took it" in words
    assert "250 2.0.0 Ok: queued as 4711" in words
    assert "hx-get" not in fragment.get_data(as_text=True)


def test_with_the_server_down_it_says_so_and_what_to_do(alice: Actor, db: Database) -> None:
    alice.post(TEST, headers=HTMX)
    shown = show_id(the_message(db).id)
    end(db, MessageState.DEFERRED, "Connection refused")
    words = text_of(alice.get(f"{PROGRESS}/{shown}?looks=2", headers=HTMX))
    assert "has not been delivered yet" in words
    assert "Connection refused" in words
    assert "tried again by itself" in words


def test_after_eight_looks_it_says_that_it_still_waits_and_why(alice: Actor, db: Database) -> None:
    alice.post(TEST, headers=HTMX)
    shown = show_id(the_message(db).id)
    seventh = alice.get(f"{PROGRESS}/{shown}?looks=7", headers=HTMX)
    assert "looks=8" in seventh.get_data(as_text=True)
    last = alice.get(f"{PROGRESS}/{shown}?looks=10", headers=HTMX)
    assert "hx-get" not in last.get_data(as_text=True)
    assert "still waiting to be sent" in text_of(last)
    assert "not running" in text_of(last)


def test_without_javascript_it_leads_to_the_result(alice: Actor, db: Database) -> None:
    answer = alice.post(TEST)
    assert (answer.status_code, answer.location) == (303, f"{CARD}#last-test")
    shown = show_id(the_message(db).id)
    page = alice.get(f"{PROGRESS}/{shown}")
    assert "Look again" in text_of(page)


def test_a_sample_without_javascript_leads_to_its_own_page(alice: Actor, db: Database) -> None:
    answer = alice.post(SAMPLE)
    assert answer.location == f"{PROGRESS}/{show_id(the_message(db).id)}"
    assert alice.get(answer.location).status_code == 200


def test_the_page_says_that_notifications_is_on_purpose(alice: Actor) -> None:
    for page in (CARD, EDIT):
        words = text_of(alice.get(page))
        assert "on purpose it comes from notifications@kartra.com" in words
        assert "See it as your contacts do" in words


def test_charlie_cannot_follow_alices_test(alice: Actor, charlie: Actor, db: Database) -> None:
    alice.post(TEST, headers=HTMX)
    shown = show_id(the_message(db).id)
    assert charlie.get(f"{PROGRESS}/{shown}", headers=HTMX).status_code == 404


@pytest.mark.parametrize("shown", ["0", "zzzzzzzzzzzzz", "'", "0000000000000"])
def test_an_id_that_is_none_is_not_found(alice: Actor, shown: str) -> None:
    assert alice.get(f"{PROGRESS}/{shown}").status_code == 404


@pytest.fixture
def limited(settings: Settings) -> Iterator[Flask]:
    """The application with its rate limits on."""
    app = create_app(settings.model_copy(update={"rate_limits": True}))
    yield app
    app.extensions["kartramail"].db.dispose()


@pytest.mark.parametrize("path", [TEST, SAMPLE])
def test_the_sixth_of_a_minute_gets_a_kind_sentence(limited: Flask, path: str) -> None:
    alice = make_alice(limited)
    for _ in range(5):
        assert alice.post(path, headers=HTMX).status_code == 200
    fragment = alice.post(path, headers=HTMX)
    assert fragment.status_code == 422  # the page shows it where the result would stand
    assert "Wait a minute" in text_of(fragment)
    assert alice.post(path).status_code == 429
