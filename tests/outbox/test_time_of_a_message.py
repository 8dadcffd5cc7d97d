"""How long a message waits for its first try, and how long it is tried from then on (R-RETRY)."""

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.messages.enqueue import Letter, enqueue_letters
from kartramail.outbox.claims import claim
from kartramail.outbox.models import Event, EventKind, Message, MessageState, SourceKind
from kartramail.outbox.results import Result, record_results
from kartramail.outbox.workers import register_worker
from kartramail.rules.addresses import Address
from kartramail.rules.replies import Deferred, Stage
from kartramail.rules.streams import Stream
from tests.support.outbox import add_account, add_messages, messages

LATER = Deferred(Stage.RCPT, 451, "4.3.0 later", "mx:25")
FULL = Deferred(Stage.RCPT, 452, "4.2.2 mailbox full", "mx:25")
UNREACHED = Deferred(Stage.CONNECT, None, "Nothing listens there.", "mx:25")
DAY = timedelta(days=1)


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def change(session: Session, message_id: int, **values: object) -> None:
    session.connection().execute(
        update(Message).where(col(Message.id) == message_id).values(**values)
    )


def try_once(session: Session, message_id: int, reply: Deferred = LATER) -> None:
    """Claim it, whenever it is due, and have it put off."""
    change(session, message_id, due_at=now())
    worker = register_worker(session, "test", 1)
    (held,) = claim(session, worker, 1)
    assert record_results(session, worker, [Result(held.id, reply, None)]) == 1


def only(db: Database) -> Message:
    (message,) = messages(db)
    return message


@pytest.mark.parametrize(("stream", "days"), [(Stream.TRANSACTIONAL, 5), (Stream.COMMERCIAL, 30)])
def test_it_is_kept_for_so_long_before_its_first_try(
    db: Database, account_id: int, stream: Stream, days: int
) -> None:
    letter = Letter(
        Address("pat", "example.net"), ("Hi", "Hello", None), {}, SourceKind.API, stream=stream
    )
    with db.transaction() as session:
        enqueue_letters(session, account_id, [letter], "kartra.com")
    message = only(db)
    assert message.expires_at - message.created_at == timedelta(days=days)


def test_a_list_that_was_kept_back_is_tried_for_two_days_from_then_on(
    db: Database, account_id: int
) -> None:
    """A pause over a fortnight, or the first days of an account, cost it nothing."""
    with db.transaction() as session:
        (message_id,) = add_messages(
            session, account_id, 1, stream=Stream.COMMERCIAL, expires_at=now() + 16 * DAY
        )
        change(session, message_id, created_at=now() - 14 * DAY)
        try_once(session, message_id)
    first = only(db)
    assert first.state is MessageState.DEFERRED
    assert abs(first.expires_at - now() - 2 * DAY) < timedelta(minutes=1)
    with db.transaction() as session:
        try_once(session, message_id)
    assert only(db).expires_at == first.expires_at


def test_what_has_an_end_of_its_own_keeps_it(db: Database, account_id: int) -> None:
    ends_at = now() + timedelta(hours=3)
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1, expires_at=ends_at)
        try_once(session, message_id)
    assert only(db).expires_at == ends_at


def test_the_last_try_comes_before_the_end_however_long_the_wait_would_be(
    db: Database, account_id: int
) -> None:
    ends_at = now() + timedelta(minutes=45)
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1, expires_at=ends_at)
        try_once(session, message_id, FULL)
    assert only(db).due_at == ends_at - timedelta(minutes=1)
    with db.transaction() as session:
        change(session, message_id, expires_at=now() + timedelta(minutes=1))
        try_once(session, message_id, FULL)
        events = session.exec(select(Event).where(Event.kind == EventKind.FAILED)).all()
    assert only(db).state is MessageState.FAILED
    assert len(events) == 1


def test_connections_that_were_not_made_lengthen_no_wait(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1)
        for _ in range(9):
            try_once(session, message_id, UNREACHED)
    message = only(db)
    assert (message.tries, message.attempts) == (9, 0)
    assert message.due_at is not None
    assert message.due_at - now() < timedelta(minutes=6)
    with db.transaction() as session:
        try_once(session, message_id)
    message = only(db)
    assert (message.tries, message.attempts) == (10, 1)
    assert message.due_at is not None
    assert message.due_at - now() < timedelta(minutes=2)  # as after a first try
