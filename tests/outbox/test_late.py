"""What the account's log says of a message that is late, and of one that is given up (R-RETRY)."""

from datetime import timedelta

import pytest
from sqlmodel import Session, col, select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox.claims import claim
from kartramail.outbox.models import Attempt, Event, EventKind, Message, MessageState
from kartramail.outbox.results import Result, record_results
from kartramail.outbox.workers import register_worker
from kartramail.rules.backoff import tried_for
from kartramail.rules.replies import Deferred, Stage
from kartramail.rules.streams import Stream
from tests.support.outbox import add_account, add_messages, messages

GREYLISTED = Deferred(Stage.RCPT, 451, "4.7.1 Greylisted", "mx.example.net:25")


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def try_once(session: Session, message_id: int) -> None:
    """Claim it, whenever it is due, and have it put off."""
    session.connection().execute(
        update(Message).where(col(Message.id) == message_id).values(due_at=now())
    )
    worker = register_worker(session, "test", 1)
    (held,) = claim(session, worker, 1)
    assert record_results(session, worker, [Result(held.id, GREYLISTED, None)]) == 1


def grow_old(session: Session, message_id: int, age: timedelta) -> None:
    """Its first try, and it itself, are so old."""
    at = now() - age
    session.connection().execute(
        update(Message).where(col(Message.id) == message_id).values(created_at=at)
    )
    session.connection().execute(
        update(Attempt).where(col(Attempt.message_id) == message_id, Attempt.n == 1).values(at=at)
    )


def told(session: Session, kind: EventKind) -> list[str]:
    found = session.exec(select(Event).where(Event.kind == kind).order_by(col(Event.id)))
    return [str(event.detail["words"]) for event in found]


@pytest.mark.parametrize(
    ("stream", "hours", "is_late"),
    [
        (Stream.TRANSACTIONAL, 0.5, False),
        (Stream.TRANSACTIONAL, 2, True),
        (Stream.COMMERCIAL, 2, False),
        (Stream.COMMERCIAL, 5, True),
    ],
)
def test_a_late_message_is_told_of_once(
    db: Database, account_id: int, stream: Stream, hours: float, is_late: bool
) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1, stream=stream)
        try_once(session, message_id)
        grow_old(session, message_id, timedelta(hours=hours))
        for _ in range(3):
            try_once(session, message_id)
        notices = told(session, EventKind.DELAYED)
    assert len(notices) == is_late
    if is_late:
        days = tried_for(stream).days
        assert notices[0] == f"It has waited for {hours} hours and is tried for {days} days more."


def test_what_was_accepted_long_before_its_time_is_not_late_at_once(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1, created_at=now() - timedelta(days=20))
        try_once(session, message_id)
        assert told(session, EventKind.DELAYED) == []


def test_a_message_that_is_given_up_says_how_often_it_was_tried(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1)
        for _ in range(3):
            try_once(session, message_id)
        grow_old(session, message_id, timedelta(days=5))
        worker = register_worker(session, "test", 1)
        session.connection().execute(
            update(Message).values(due_at=now(), expires_at=now() + timedelta(seconds=5))
        )
        (held,) = claim(session, worker, 1)
        record_results(session, worker, [Result(held.id, GREYLISTED, None)])
        words = told(session, EventKind.FAILED)
    assert words == ["Given up: it was tried 4 times within 5 days."]
    (message,) = messages(db)
    assert (message.state, message.due_at) == (MessageState.FAILED, None)
    assert message.reply == "451 4.7.1 Greylisted"


def test_what_ends_unsent_says_whether_it_was_ever_tried(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        (tried,) = add_messages(session, account_id, 1)
        try_once(session, tried)
        (new,) = add_messages(session, account_id, 1)
        session.connection().execute(
            update(Message).values(due_at=now(), expires_at=now() - timedelta(seconds=1))
        )
        assert claim(session, register_worker(session, "test", 1), 10) == []
    replies = {message.id: message.reply for message in messages(db)}
    assert replies == {
        new: "Given up before it was tried at all: its time was over.",
        tried: "Given up before it was tried again: its time was over.",
    }
    with db.reading() as session:
        events = session.exec(select(Event).where(Event.kind == EventKind.FAILED)).all()
    assert {event.message_id: event.detail["words"] for event in events} == replies
