"""A reminder that a worker holds is called back with its booking (R-EVENT, R-RETRY).

The try that is on the wire may still be accepted; after it the reminder is not sent again.
"""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import Session, update

from kartramail.assets.rounds import forget_past_reminders, release_due_reminders
from kartramail.clock import now
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.messages.queries import find_message
from kartramail.outbox.claims import claim
from kartramail.outbox.models import Message, MessageState, Worker
from kartramail.outbox.releases import release
from kartramail.outbox.results import Result, record_results
from kartramail.outbox.workers import reclaim, register_worker, sign_off
from kartramail.rules.replies import Accepted, Deferred, Reply, Stage
from tests.support.cast import Actor
from tests.support.events import (
    EVERYWHERE,
    add_asset,
    change,
    events_of,
    fire,
    in_hours,
    make_due,
    reminders,
)
from tests.support.outbox import messages

BUSY = Deferred(Stage.RCPT, 451, "4.3.0 try again later", "mx:25")
CANCELLED = "Called back while on its way: the booking was cancelled."
MOVED = "Called back while on its way: the booking was moved to another time."
ENDED = "Not tried again: it had been called back."
OVER = "Given up before it was tried at all: its time was over."


@pytest.fixture
def calendar(db: Database, alice: Actor) -> int:
    found = add_asset(db, alice.account_id)
    for event in ("calendar.booked", "calendar.cancelled"):
        change(db, alice.account_id, event, EVERYWHERE, enabled=False)
    return found


@pytest.fixture
def worker(installation: Installation, db: Database, alice: Actor, calendar: int) -> int:
    """It holds the one reminder there is, of a booking in 20 hours."""
    book(installation, alice, calendar, 100)
    make_due(db)
    assert release_due_reminders(installation) == 1
    with db.transaction() as session:
        number = register_worker(session, "here", 1)
        assert len(claim(session, number, 10)) == 1
    return number


def book(installation: Installation, alice: Actor, calendar: int, hours: float) -> None:
    starts_at = in_hours(hours)
    fire(installation, alice.account_id, calendar, "calendar.booked", starts_at=starts_at, key="b1")


def cancel(installation: Installation, alice: Actor, calendar: int) -> None:
    fire(installation, alice.account_id, calendar, "calendar.cancelled", key="b1")


def record(db: Database, worker: int, reply: Reply) -> None:
    with db.transaction() as session:
        assert record_results(session, worker, [Result(messages(db)[0].id, reply, None)]) == 1


def bury(db: Database, worker: int) -> None:
    """As when it is killed with the message in hand."""
    with db.transaction() as session:
        long_ago = now() - timedelta(hours=1)
        session.connection().execute(update(Worker).values(heartbeat_at=long_ago))
        assert reclaim(session, timedelta(seconds=15)) == 1


def assert_ended(db: Database, state: MessageState, *words: str) -> None:
    """It waits for nothing, nobody holds it, and nobody gets it; these events tell of it."""
    message = messages(db)[0]
    assert (message.state, message.due_at, message.worker_id) == (state, None, None)
    told = sorted(events_of(db, message.id), key=lambda event: event.id)
    assert [event.detail["words"] for event in told] == list(words)
    with db.transaction() as session:
        assert claim(session, register_worker(session, "other", 2), 10) == []


def test_cancelled_while_held_and_then_deferred_it_is_not_sent_again(
    installation: Installation, db: Database, alice: Actor, calendar: int, worker: int
) -> None:
    cancel(installation, alice, calendar)
    assert messages(db)[0].worker_id == worker
    record(db, worker, BUSY)
    assert_ended(db, MessageState.CANCELLED, CANCELLED, ENDED)
    with db.reading() as session:
        view = find_message(session, alice.account_id, messages(db)[0].id)
    assert view is not None
    assert [str(one.kind) for one in view.story] == ["queued", "cancelled", "deferred", "cancelled"]
    assert [one.words for one in view.story][2:] == ["451 4.3.0 try again later", ENDED]


def test_cancelled_while_held_and_then_accepted_it_was_sent(
    installation: Installation, db: Database, alice: Actor, calendar: int, worker: int
) -> None:
    cancel(installation, alice, calendar)
    record(db, worker, Accepted(250, "2.0.0 Ok", "mx:25"))
    assert_ended(db, MessageState.SENT, CANCELLED)


def test_moved_while_held_and_then_deferred_only_the_new_one_is_sent(
    installation: Installation, db: Database, alice: Actor, calendar: int, worker: int
) -> None:
    book(installation, alice, calendar, 200)
    record(db, worker, BUSY)
    assert_ended(db, MessageState.CANCELLED, MOVED, ENDED)
    make_due(db)
    assert release_due_reminders(installation) == 1
    assert [one.state for one in messages(db)] == [MessageState.CANCELLED, MessageState.QUEUED]


def test_cancelled_while_held_by_a_worker_that_is_killed_it_is_not_sent(
    installation: Installation, db: Database, alice: Actor, calendar: int, worker: int
) -> None:
    cancel(installation, alice, calendar)
    bury(db, worker)
    reclaimed = "The process that held this message ended before it could report."
    assert_ended(db, MessageState.CANCELLED, CANCELLED, reclaimed, ENDED)


@pytest.mark.parametrize("give_back", [sign_off, release])
def test_cancelled_while_held_and_given_back_it_is_not_sent(
    installation: Installation,
    db: Database,
    alice: Actor,
    calendar: int,
    worker: int,
    give_back: Callable[[Session, int], None],
) -> None:
    cancel(installation, alice, calendar)
    with db.transaction() as session:
        give_back(session, worker)
    assert_ended(db, MessageState.CANCELLED, CANCELLED, ENDED)


def test_cancelled_twice_it_is_called_back_once(
    installation: Installation, db: Database, alice: Actor, calendar: int, worker: int
) -> None:
    book(installation, alice, calendar, 200)
    cancel(installation, alice, calendar)
    assert [one.detail["words"] for one in events_of(db, messages(db)[0].id)] == [MOVED]
    assert reminders(db) == []


def _begin(db: Database) -> None:
    """Let time pass until what every message speaks of has begun."""
    with db.transaction() as session:
        session.connection().execute(update(Message).values(expires_at=now()))


def test_it_is_of_no_use_once_it_has_begun(
    installation: Installation, db: Database, alice: Actor, calendar: int, worker: int
) -> None:
    (row,) = reminders(db)
    assert messages(db)[0].expires_at == row.starts_at


def test_held_when_it_begins_and_then_deferred_it_is_not_sent_again(
    installation: Installation, db: Database, alice: Actor, calendar: int, worker: int
) -> None:
    _begin(db)
    forget_past_reminders(installation)
    record(db, worker, BUSY)
    assert_ended(db, MessageState.FAILED, "Given up after one try: its time was over.")


def test_held_when_it_begins_and_given_back_it_is_not_sent(
    installation: Installation, db: Database, alice: Actor, calendar: int, worker: int
) -> None:
    _begin(db)
    with db.transaction() as session:
        sign_off(session, worker)
    assert_ended(db, MessageState.FAILED, OVER)
    assert messages(db)[0].reply == OVER


def test_cancelled_at_the_moment_of_its_deferral_it_is_not_sent_again(
    installation: Installation, db: Database, alice: Actor, calendar: int, worker: int
) -> None:
    """The cancellation waits for the row, and meets it as one that waits."""
    cancelling = threading.Thread(target=cancel, args=(installation, alice, calendar))
    message_id = messages(db)[0].id
    with db.transaction() as session:
        record_results(session, worker, [Result(message_id, BUSY, None)])
        cancelling.start()
        cancelling.join(0.3)
        assert cancelling.is_alive()
    cancelling.join(20)
    assert_ended(db, MessageState.CANCELLED, "Not sent: the booking was cancelled.")
