"""What waits in an account's lanes, and why (R-FAIR), on both databases."""

from datetime import timedelta

import pytest
from sqlmodel import Session, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox import waiting as queue
from kartramail.outbox.claims import Claimer, claim
from kartramail.outbox.destinations import Closed, note_destinations
from kartramail.outbox.lanes import hold_lane, lane_id_for
from kartramail.outbox.limits import set_limit
from kartramail.outbox.models import Worker
from kartramail.outbox.results import Result, record_results
from kartramail.outbox.waiting import WaitingLane, WaitReason, waiting
from kartramail.outbox.workers import register_worker
from kartramail.rules.replies import Deferred, Stage
from kartramail.rules.streams import Stream
from tests.support.outbox import add_account, add_messages

LEASE = timedelta(seconds=15)


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        account_id = add_account(session)
        register_worker(session, "test", 1)
        return account_id


def look(session: Session, account_id: int) -> list[WaitingLane]:
    return waiting(session, account_id, has_limits=True, lease=LEASE)


def reason(session: Session, account_id: int) -> WaitReason:
    (lane,) = look(session, account_id)
    return lane.reason


def test_nothing_waits(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 1)
        claim(session, register_worker(session, "test", 1), 10)
        assert look(session, account_id) == []


def test_what_is_due_is_on_its_way(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 3)
        add_messages(session, account_id, 2, stream=Stream.COMMERCIAL)
        receipts, offers = look(session, account_id)
    assert (receipts.stream, receipts.count, receipts.count_is_more) == (
        Stream.TRANSACTIONAL,
        3,
        False,
    )
    assert (offers.stream, offers.count) == (Stream.COMMERCIAL, 2)
    assert {receipts.reason, offers.reason} == {WaitReason.ON_ITS_WAY}


def test_another_account_s_mail_is_not_shown(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        other = add_account(session, "Other", "jo@yourcompany.com")
        add_messages(session, other, 3)
        assert look(session, account_id) == []


def test_a_held_lane(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 1, stream=Stream.COMMERCIAL)
        hold_lane(session, account_id, lane_id_for(session, account_id, Stream.COMMERCIAL))
        assert reason(session, account_id) is WaitReason.HELD


def test_no_worker(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 1)
        session.connection().execute(
            update(Worker).values(heartbeat_at=now() - timedelta(minutes=1))
        )
        assert reason(session, account_id) is WaitReason.NO_WORKER


def test_the_limit_of_the_day(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        set_limit(session, account_id, 2)
        add_messages(session, account_id, 5, stream=Stream.COMMERCIAL)
        worker = register_worker(session, "test", 1)
        assert len(Claimer(has_limits=True).claim(session, worker, 10)) == 2
        (lane,) = look(session, account_id)
    assert (lane.reason, lane.count) == (WaitReason.DAILY_LIMIT, 3)
    assert lane.until is not None
    assert timedelta(0) < lane.until - now() <= timedelta(days=1)
    assert lane.words.startswith("2 messages have left today")


def test_a_limit_of_0_is_named_for_all_that_waits(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        set_limit(session, account_id, 0)
        add_messages(session, account_id, 1, tries=1)
        (lane,) = look(session, account_id)
    assert (lane.reason, lane.until) == (WaitReason.DAILY_LIMIT, None)
    assert lane.words == "None may leave until the limit is raised."


def test_the_limit_of_the_day_is_no_reason_for_what_was_tried_before(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        set_limit(session, account_id, 1)
        add_messages(session, account_id, 1)
        worker = register_worker(session, "test", 1)
        assert len(Claimer(has_limits=True).claim(session, worker, 10)) == 1
        add_messages(session, account_id, 2, tries=1)
        assert reason(session, account_id) is WaitReason.ON_ITS_WAY
        add_messages(session, account_id, 1)
        assert reason(session, account_id) is WaitReason.DAILY_LIMIT


def test_what_is_due_later(db: Database, account_id: int) -> None:
    later = now() + timedelta(hours=3)
    with db.transaction() as session:
        add_messages(session, account_id, 1, due_at=later)
        (lane,) = look(session, account_id)
    assert (lane.reason, lane.until) == (WaitReason.NOT_DUE, later)


def test_a_mail_server_that_cannot_be_reached(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 1)
        worker = register_worker(session, "test", 1)
        (held,) = claim(session, worker, 1)
        reply = Deferred(Stage.CONNECT, None, "Nothing listens there.", "127.0.0.1:25")
        record_results(session, worker, [Result(held.id, reply, None)])
        (lane,) = look(session, account_id)
    assert lane.reason is WaitReason.SERVER
    assert lane.words == "127.0.0.1:25: Nothing listens there."


def test_a_recipient_domain_that_is_slow(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 3, domain="slow.example")
        until = now() + timedelta(minutes=5)
        note_destinations(
            session, {"slow.example": Closed(until, 0, "slow.example asked for a pause.")}
        )
        (lane,) = look(session, account_id)
    assert (lane.reason, lane.until) == (WaitReason.DESTINATION, until)
    assert lane.words == "slow.example asked for a pause."


def test_counting_ends_somewhere(
    db: Database, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queue, "MOST_COUNTED", 3)
    monkeypatch.setattr(queue, "_LOOKED_AT", 2)
    with db.transaction() as session:
        add_messages(session, account_id, 5)
        (lane,) = look(session, account_id)
    assert (lane.count, lane.count_is_more) == (3, True)
