"""The figures behind /metrics: what is later and what is held, over all accounts (R-OPS)."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, delete, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.ops.figures import Figures, measure
from kartramail.outbox import lane_looks, limits, queue_figures
from kartramail.outbox.claims import claim
from kartramail.outbox.lanes import hold_lane, lane_id_for
from kartramail.outbox.limits import reserve, set_limit
from kartramail.outbox.models import Message, MessageState, Worker
from kartramail.outbox.queue_figures import waiting_without_worker
from kartramail.outbox.releases import release
from kartramail.outbox.workers import beat, reclaim, register_worker
from kartramail.rules.streams import Stream
from tests.support.outbox import add_account, add_messages

LEASE = timedelta(seconds=15)


def figures(db: Database, *, has_limits: bool = True) -> Figures:
    with db.reading() as session:
        return measure(session, LEASE, has_limits=has_limits)


def test_later_is_what_waits_for_its_time_or_its_next_try_in_any_account(db: Database) -> None:
    later = now() + timedelta(hours=1)
    with db.transaction() as session:
        one, other = add_account(session), add_account(session, "Roe", "roe@roe.com")
        add_messages(session, one, 2, state=MessageState.SCHEDULED, due_at=later)
        add_messages(session, other, 3, state=MessageState.DEFERRED, due_at=later, tries=1)
        add_messages(session, other, 4)  # due
        for ended in (MessageState.SENT, MessageState.BOUNCED, MessageState.CANCELLED):
            add_messages(session, one, 1, state=ended, due_at=None)
    assert (figures(db).later, figures(db).due, figures(db).held) == (5, 4, 0)


@pytest.mark.parametrize("most_lanes", [0, 200])
def test_what_waits_in_any_lane_is_counted_however_many_lanes_there_are(
    db: Database, monkeypatch: pytest.MonkeyPatch, most_lanes: int
) -> None:
    monkeypatch.setattr(queue_figures, "_MOST_LANES", most_lanes)
    later = now() + timedelta(hours=1)
    with db.transaction() as session:
        accounts = [add_account(session, f"Doe {n}", f"jo@doe{n}.com") for n in range(3)]
        for account_id in accounts:
            for stream in Stream:
                add_messages(session, account_id, 2, stream=stream)
                add_messages(session, account_id, 1, stream=stream, due_at=later)
        add_messages(session, accounts[0], 1, lane_id=0)  # of no lane at all
    assert (figures(db).due, figures(db).later) == (13, 6)


def test_held_is_what_a_worker_has_in_its_hands_and_neither_due_nor_later(db: Database) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        add_messages(session, account_id, 5)
        worker_id = register_worker(session, "host", 1)
        assert len(claim(session, worker_id, 3)) == 3
        assert beat(session, worker_id, 3)
    assert (figures(db).held, figures(db).due, figures(db).later) == (3, 2, 0)
    with db.transaction() as session:
        release(session, worker_id)
        assert beat(session, worker_id, 0)
    assert (figures(db).held, figures(db).due) == (0, 5)


def test_what_a_dead_worker_holds_is_held_until_others_take_it_up(db: Database) -> None:
    with db.transaction() as session:
        add_messages(session, add_account(session), 5)
        dead = register_worker(session, "host", 1)
        assert beat(session, dead, len(claim(session, dead, 3)))
        living = register_worker(session, "host", 2)
        assert beat(session, living, len(claim(session, living, 1)))
        long_ago = now() - timedelta(minutes=1)
        session.connection().execute(
            update(Worker).where(col(Worker.id) == dead).values(heartbeat_at=long_ago)
        )
    assert (figures(db).held, figures(db).due, figures(db).workers) == (4, 1, 1)
    with db.transaction() as session:
        assert reclaim(session, LEASE) == 3
    assert (figures(db).held, figures(db).due, figures(db).workers) == (1, 4, 1)


def test_what_a_paused_lane_keeps_back_is_due_and_neither_held_nor_overdue(db: Database) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        add_messages(session, account_id, 2, stream=Stream.COMMERCIAL)
        hold_lane(session, account_id, lane_id_for(session, account_id, Stream.COMMERCIAL))
        assert claim(session, register_worker(session, "host", 1), 10) == []
        before = add_messages(session, account_id, 1, stream=Stream.TRANSACTIONAL)
    assert (figures(db).held, figures(db).due, figures(db).later) == (0, 3, 0)
    assert figures(db).oldest_due_at is not None
    with db.transaction() as session:
        session.connection().execute(delete(Message).where(col(Message.id).in_(before)))
    assert (figures(db).due, figures(db).oldest_due_at) == (2, None)


# -- and what stands behind the limit of a day ----------------------------------------------------

COMMERCIAL = Stream.COMMERCIAL
AN_HOUR = timedelta(hours=1)


def waiting_since(db: Database, *, has_limits: bool = True) -> datetime | None:
    """As metrics and banners have it, which say the same: no worker is alive."""
    by_metrics = figures(db, has_limits=has_limits)
    with db.reading() as session:
        by_banner = waiting_without_worker(session, LEASE, has_limits=has_limits)
    assert by_metrics.workers == 0
    assert by_metrics.oldest_due_at == by_banner
    return by_banner


def add_three(session: Session, due_at: datetime) -> int:
    """A new account, in which three commercial messages have been due since then."""
    account_id = add_account(session)
    add_messages(session, account_id, 3, stream=COMMERCIAL, due_at=due_at)
    return account_id


def fill_day(session: Session, account_id: int, at: datetime) -> None:
    """The account has begun to send all that it may on the day of `at`."""
    set_limit(session, account_id, 5)
    reserve(session, {(account_id, COMMERCIAL): 5}, at.date(), 5)


@pytest.fixture
def noon(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """It is noon, so that what is a few hours older or younger is of the same day."""
    at = now().replace(hour=12, minute=0, second=0, microsecond=0)
    for module in (lane_looks, queue_figures, limits):
        monkeypatch.setattr(module, "now", lambda: at)
    return at


def test_what_stands_behind_the_limit_of_a_day_is_due_and_waits_for_nobody(
    db: Database, noon: datetime
) -> None:
    with db.transaction() as session:
        account_id = add_three(session, noon - 2 * AN_HOUR)
        other = add_account(session, "Roe", "roe@roe.com")
        fill_day(session, account_id, noon)
    assert waiting_since(db) is None
    assert figures(db).due == 3
    assert waiting_since(db, has_limits=False) == noon - 2 * AN_HOUR
    with db.transaction() as session:
        add_messages(session, other, 1, stream=COMMERCIAL, due_at=noon - AN_HOUR)
    assert waiting_since(db) == noon - AN_HOUR
    with db.transaction() as session:
        set_limit(session, account_id, 6)
    assert waiting_since(db) == noon - 2 * AN_HOUR


def test_receipts_wait_for_a_worker_where_commercial_mail_waits_for_midnight(
    db: Database, noon: datetime
) -> None:
    with db.transaction() as session:
        account_id = add_three(session, noon - 2 * AN_HOUR)
        fill_day(session, account_id, noon)
        add_messages(session, account_id, 1, due_at=noon - AN_HOUR)
    assert waiting_since(db) == noon - AN_HOUR


def test_what_was_tried_before_waits_for_a_worker_at_the_limit_unless_all_is_stopped(
    db: Database, noon: datetime
) -> None:
    with db.transaction() as session:
        account_id = add_three(session, noon - 2 * AN_HOUR)
        add_messages(session, account_id, 1, stream=COMMERCIAL, due_at=noon - AN_HOUR, tries=1)
        add_messages(session, account_id, 1, stream=COMMERCIAL, due_at=noon + AN_HOUR, tries=1)
        fill_day(session, account_id, noon)
    assert waiting_since(db) == noon - AN_HOUR
    with db.transaction() as session:
        set_limit(session, account_id, 0)
    assert waiting_since(db) is None


def test_what_the_limit_of_yesterday_kept_back_waits_since_midnight(
    db: Database, noon: datetime
) -> None:
    """Else every day began with an alarm."""
    midnight = noon - 12 * AN_HOUR
    with db.transaction() as session:
        account_id = add_three(session, noon - 20 * AN_HOUR)
    assert waiting_since(db) == noon - 20 * AN_HOUR
    with db.transaction() as session:
        fill_day(session, account_id, midnight - AN_HOUR)
    assert waiting_since(db) == midnight
    with db.transaction() as session:
        add_messages(session, account_id, 1, stream=COMMERCIAL, due_at=noon - 15 * AN_HOUR, tries=1)
    assert waiting_since(db) == noon - 15 * AN_HOUR


def test_a_paused_lane_below_its_limit_waits_for_nobody_either(
    db: Database, noon: datetime
) -> None:
    with db.transaction() as session:
        account_id = add_three(session, noon - 2 * AN_HOUR)
        set_limit(session, account_id, 9)
        hold_lane(session, account_id, lane_id_for(session, account_id, COMMERCIAL))
    assert waiting_since(db) is None
