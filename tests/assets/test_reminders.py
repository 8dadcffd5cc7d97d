"""A booking schedules its reminder, moves it and takes it away (R-EVENT)."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import update

from kartramail.assets.rounds import release_due_reminders
from kartramail.clock import now
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.outbox.claims import claim
from kartramail.outbox.models import EventKind, Message, MessageState
from kartramail.outbox.workers import register_worker
from tests.support.cast import Actor
from tests.support.events import (
    EVERYWHERE,
    PAT,
    add_asset,
    change,
    events_of,
    fire,
    in_hours,
    make_due,
    reminders,
    same_moment,
)
from tests.support.outbox import messages


@pytest.fixture
def calendar(db: Database, alice: Actor) -> int:
    return add_asset(db, alice.account_id)


def book(
    installation: Installation, alice: Actor, calendar: int, hours: float, key: str | None = "b1"
) -> str:
    """Book a time that many hours from now; returns it as it was sent."""
    starts_at = in_hours(hours)
    fire(
        installation,
        alice.account_id,
        calendar,
        "calendar.booked",
        starts_at=starts_at,
        key=key,
        variables={"place": "Room 2"},
    )
    return starts_at


def release(installation: Installation, db: Database) -> Message:
    """Let time pass until the one reminder left; returns its message."""
    make_due(db)
    assert release_due_reminders(installation) == 1
    return messages(db)[-1]


def test_a_booking_schedules_the_reminder_a_day_before(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    starts_at = book(installation, alice, calendar, 100)
    (row,) = reminders(db)
    assert (row.type, row.key, row.message_ids) == ("calendar.reminder", "b1", [])
    assert (row.contact, row.variables) == (PAT, {"place": "Room 2"})
    assert same_moment(row.starts_at, starts_at)
    assert row.due_at == row.starts_at - timedelta(hours=24)


def test_a_webinar_does_as_well(installation: Installation, db: Database, alice: Actor) -> None:
    webinar = add_asset(db, alice.account_id, "webinar")
    fire(installation, alice.account_id, webinar, "webinar.booked", starts_at=in_hours(50))
    assert [row.type for row in reminders(db)] == ["webinar.reminder"]


@pytest.mark.parametrize("hours", [23.9, 0.1, -5])
def test_what_is_booked_later_than_that_gets_none(
    installation: Installation, db: Database, alice: Actor, calendar: int, hours: float
) -> None:
    book(installation, alice, calendar, hours)
    assert reminders(db) == []
    assert len(messages(db)) == 1


def test_without_a_time_there_is_none(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    fire(installation, alice.account_id, calendar, "calendar.booked", key="b1")
    assert reminders(db) == []


def test_the_same_key_moves_it(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar, 100)
    later = book(installation, alice, calendar, 200)
    (row,) = reminders(db)
    assert same_moment(row.starts_at, later)


def test_a_key_is_one_booking_of_one_calendar(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    other = add_asset(db, alice.account_id)
    book(installation, alice, calendar, 100)
    book(installation, alice, other, 100)
    book(installation, alice, calendar, 100, key="b2")
    assert len(reminders(db)) == 3


def test_without_a_key_each_booking_has_its_own(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar, 100, key=None)
    book(installation, alice, calendar, 200, key=None)
    assert len({row.key for row in reminders(db)}) == 2
    fire(installation, alice.account_id, calendar, "calendar.cancelled")
    assert len(reminders(db)) == 2


def test_moved_to_within_a_day_it_is_taken_away(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar, 100)
    book(installation, alice, calendar, 5)
    assert reminders(db) == []


def test_a_cancelled_booking_has_none(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar, 100)
    book(installation, alice, calendar, 100, key="b2")
    fire(installation, alice.account_id, calendar, "calendar.cancelled", key="b1")
    assert [row.key for row in reminders(db)] == ["b2"]
    fire(installation, alice.account_id, calendar, "calendar.cancelled", key="b1")  # once more


def test_it_is_moved_also_where_the_notification_itself_is_off(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    change(db, alice.account_id, "calendar.booked", EVERYWHERE, enabled=False)
    change(db, alice.account_id, "calendar.cancelled", EVERYWHERE, enabled=False)
    book(installation, alice, calendar, 100)
    assert (len(reminders(db)), messages(db)) == (1, [])
    fire(installation, alice.account_id, calendar, "calendar.cancelled", key="b1")
    assert reminders(db) == []


def test_one_that_waits_in_the_outbox_is_cancelled_with_the_booking(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar, 100)
    waiting = release(installation, db)
    fire(installation, alice.account_id, calendar, "calendar.cancelled", key="b1")
    found = next(each for each in messages(db) if each.id == waiting.id)
    assert (found.state, found.due_at) == (MessageState.CANCELLED, None)
    (event,) = events_of(db, waiting.id)
    assert event.kind is EventKind.CANCELLED
    assert event.detail["words"] == "Not sent: the booking was cancelled."
    assert reminders(db) == []


def test_one_that_waits_in_the_outbox_is_replaced_when_it_is_moved(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar, 100)
    waiting = release(installation, db)
    later = book(installation, alice, calendar, 200)
    assert MessageState.CANCELLED in {each.state for each in messages(db) if each.id == waiting.id}
    assert events_of(db, waiting.id)[0].detail["words"].startswith("Not sent: the booking was mov")
    (row,) = reminders(db)
    assert row.message_ids == []
    assert row.due_at is not None
    assert same_moment(row.starts_at, later)


def test_the_same_time_once_more_leaves_alone_what_waits(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar, 100)
    waiting = release(installation, db)
    (row,) = reminders(db)
    same = row.starts_at.isoformat()
    fire(installation, alice.account_id, calendar, "calendar.booked", starts_at=same, key="b1")
    assert {each.state for each in messages(db) if each.id == waiting.id} == {MessageState.QUEUED}
    assert [one.message_ids for one in reminders(db)] == [[waiting.id]]


def test_one_that_a_worker_holds_is_left_to_it(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    """It may be on the wire. The new time gets a reminder of its own."""
    book(installation, alice, calendar, 100)
    held = release(installation, db)
    with db.transaction() as session:
        claim(session, register_worker(session, "here", 1), 10)
    book(installation, alice, calendar, 200)
    assert {each.state for each in messages(db) if each.id == held.id} == {MessageState.SENDING}
    (event,) = events_of(db, held.id)
    assert event.detail["words"].startswith("Called back while on its way: the booking was moved")
    assert [row.message_ids for row in reminders(db)] == [[]]


def test_one_that_was_sent_is_followed_by_a_new_one(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar, 100)
    sent = release(installation, db)
    with db.transaction() as session:
        session.connection().execute(
            update(Message).values(state=MessageState.SENT, due_at=None, sent_at=now())
        )
    book(installation, alice, calendar, 200)
    again = release(installation, db)
    assert again.id != sent.id
    assert {each.state for each in messages(db) if each.id == sent.id} == {MessageState.SENT}


def test_two_that_race_leave_one_reminder(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    """The database decides: the later one moves what the earlier one scheduled."""
    times: list[str] = []
    barrier = threading.Barrier(6)

    def run(hours: int) -> None:
        barrier.wait()
        times.append(book(installation, alice, calendar, hours))

    threads = [threading.Thread(target=run, args=(100 + n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (row,) = reminders(db)
    assert len(times) == 6
    assert any(same_moment(row.starts_at, each) for each in times)


def test_bookings_and_cancellations_that_race_end_in_good_order(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    done: list[str] = []
    barrier = threading.Barrier(8)

    def run(number: int) -> None:
        barrier.wait()
        for step in range(5):
            if (number + step) % 2:
                book(installation, alice, calendar, 100 + number * 10 + step)
            else:
                fire(installation, alice.account_id, calendar, "calendar.cancelled", key="b1")
            release_due_reminders(installation)
        done.append("")

    threads = [threading.Thread(target=run, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 8
    assert len(reminders(db)) <= 1
