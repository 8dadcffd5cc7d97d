"""Claims and fencing (R-OUTBOX), on both databases."""

from collections import Counter
from datetime import datetime, timedelta
from time import monotonic, sleep
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox import claims
from kartramail.outbox.claims import Claimer, WorkerGone, claim
from kartramail.outbox.lane_looks import look
from kartramail.outbox.lanes import PLATFORM, hold_lane, lane_id_for, open_lane
from kartramail.outbox.limits import set_limit
from kartramail.outbox.models import Attempt, Lane, LaneState, Message, MessageState, Worker
from kartramail.outbox.queue_figures import measure_queue
from kartramail.outbox.releases import postpone, release, release_others
from kartramail.outbox.resolved_senders import SenderAnswer, store_resolved_sender
from kartramail.outbox.results import Failed, Result, record_results
from kartramail.outbox.workers import beat, reclaim, register_worker, sign_off
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from kartramail.rules.streams import Stream
from tests.support.outbox import add_account, add_messages, messages

OK = Accepted(250, "2.0.0 Ok", "127.0.0.1:25")


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def a_worker(session: Session) -> int:
    return register_worker(session, "test", 1)


def test_two_workers_never_hold_the_same_row(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 30)
        first, second = a_worker(session), a_worker(session)
        one = {m.id for m in claim(session, first, 20)}
        two = {m.id for m in claim(session, second, 20)}
    assert len(one) == 20
    assert len(two) == 10
    assert not one & two


def test_transactional_goes_first(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 5, stream=Stream.COMMERCIAL)
        add_messages(session, account_id, 5, stream=Stream.TRANSACTIONAL)
        claimed = claim(session, a_worker(session), 7)
    assert [m.stream for m in claimed] == [Stream.TRANSACTIONAL] * 5 + [Stream.COMMERCIAL] * 2


def test_a_message_for_later_stays(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 1, due_at=now() + timedelta(minutes=1))
        assert claim(session, a_worker(session), 10) == []


def test_accepted_is_written_with_the_servers_words(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, OK, None)])
    (message,) = messages(db)
    assert message.state is MessageState.SENT
    assert (message.reply, message.server) == ("250 2.0.0 Ok", "127.0.0.1:25")
    assert (message.attempts, message.tries) == (1, 1)
    assert message.worker_id is None
    assert message.due_at is None
    assert message.sent_at is not None


def test_deferred_waits_about_a_minute_and_costs_an_attempt(db: Database, account_id: int) -> None:
    reply = Deferred(Stage.RCPT, 450, "4.2.0 greylisted", "mx:25")
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, reply, None)])
    (message,) = messages(db)
    assert message.state is MessageState.DEFERRED
    assert message.attempts == 1
    assert message.due_at is not None
    assert timedelta(seconds=40) < message.due_at - now() < timedelta(seconds=80)
    with db.reading() as session:
        (attempt,) = session.exec(select(Attempt)).all()
    assert (attempt.n, attempt.stage, attempt.code) == (1, "rcpt", 450)
    assert attempt.reply == "450 4.2.0 greylisted"


def test_a_connection_that_cannot_be_made_is_free(db: Database, account_id: int) -> None:
    reply = Deferred(Stage.CONNECT, None, "Connection refused", "mx:25")
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, reply, None)])
    (message,) = messages(db)
    assert (message.attempts, message.tries) == (0, 1)
    assert message.state is MessageState.DEFERRED


def test_refused_ends_it(db: Database, account_id: int) -> None:
    reply = Refused(Stage.RCPT, 550, "5.1.1 unknown", "mx:25")
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, reply, None)])
    (message,) = messages(db)
    assert message.state is MessageState.BOUNCED
    assert message.due_at is None
    assert message.reply == "550 5.1.1 unknown"


def test_many_accepted_at_once_are_counted(db: Database, account_id: int) -> None:
    """So that a worker learns when one of its rows was not its own any more."""
    with db.transaction() as session:
        worker = a_worker(session)
        ids = add_messages(session, account_id, 5)
        claim(session, worker, 4)
        results = [Result(message_id, OK, None) for message_id in ids]
        assert record_results(session, worker, results) == 4
    assert [m.state for m in messages(db)].count(MessageState.SENT) == 4


def test_a_message_that_cannot_be_built_fails(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, Failed("no template"), None)])
    (message,) = messages(db)
    assert (message.state, message.reply) == (MessageState.FAILED, "no template")


def test_deferral_past_the_end_of_its_life_fails_it(db: Database, account_id: int) -> None:
    reply = Deferred(Stage.RCPT, 450, "4.2.0 greylisted", "mx:25")
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(
            session, account_id, 1, expires_at=now() + timedelta(seconds=10)
        )
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, reply, None)])
    (message,) = messages(db)
    assert message.state is MessageState.FAILED
    assert message.due_at is None


@pytest.mark.parametrize(
    "outcome",
    [
        OK,
        Deferred(Stage.RCPT, 450, "4.2.0 greylisted", "mx:25"),
        Refused(Stage.RCPT, 550, "5.1.1 unknown", "mx:25"),
        Failed("no template"),
    ],
)
def test_a_late_result_of_a_worker_that_lost_its_rows_is_not_taken(
    db: Database, account_id: int, outcome: Accepted | Deferred | Refused | Failed
) -> None:
    with db.transaction() as session:
        late, other = a_worker(session), a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, late, 1)
        _age(session, late)
        assert reclaim(session, timedelta(seconds=15)) == 1
        assert len(claim(session, other, 1)) == 1
        assert record_results(session, late, [Result(message_id, outcome, None)]) == 0
    (message,) = messages(db)
    assert (message.state, message.worker_id) == (MessageState.SENDING, other)


def _age(session: Session, worker_id: int) -> None:
    session.connection().execute(
        update(Worker)
        .where(Worker.id == worker_id)  # type: ignore[arg-type]
        .values(heartbeat_at=now() - timedelta(minutes=1))
    )


def test_what_a_dead_worker_held_is_due_again_and_cost_an_attempt(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        dead, alive = a_worker(session), a_worker(session)
        add_messages(session, account_id, 3)
        claim(session, dead, 2)
        claim(session, alive, 1)
        _age(session, dead)
        assert reclaim(session, timedelta(seconds=15)) == 2
        assert not beat(session, dead)
        assert beat(session, alive)
    states = [(m.state, m.attempts, m.deaths) for m in messages(db)]
    assert states == [(MessageState.DEFERRED, 1, 1)] * 2 + [(MessageState.SENDING, 0, 0)]
    assert all(m.due_at is not None and m.due_at <= now() for m in messages(db)[:2])


def _die_with(session: Session, message_id: int, times: int) -> None:
    """So many workers end while they hold the message."""
    for _ in range(times):
        worker = a_worker(session)
        _make_due(session, message_id)
        claim(session, worker, 1)
        _age(session, worker)
        assert reclaim(session, timedelta(seconds=15)) == 1


def set_expiry(session: Session, message_id: int, at: datetime) -> None:
    session.connection().execute(
        update(Message).where(col(Message.id) == message_id).values(expires_at=at)
    )


def _wait_of(message: Message) -> timedelta:
    assert message.due_at is not None
    return message.due_at - now()


def test_a_message_that_kills_its_workers_waits_longer_and_then_fails(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1)
        _die_with(session, message_id, 5)
    assert _wait_of(messages(db)[0]) <= timedelta(0)
    with db.transaction() as session:
        _die_with(session, message_id, 1)
    (message,) = messages(db)
    assert (message.deaths, message.attempts, message.tries) == (6, 6, 0)
    assert timedelta(seconds=30) < _wait_of(message) <= timedelta(minutes=2)
    with db.transaction() as session:
        _die_with(session, message_id, 5)
    assert timedelta(minutes=30) < _wait_of(messages(db)[0])
    with db.transaction() as session:
        _die_with(session, message_id, 1)
    (message,) = messages(db)
    assert (message.state, message.due_at) == (MessageState.FAILED, None)
    assert message.reply == "Given up: 12 processes ended while they held this message."


def test_a_message_whose_time_is_over_fails_with_its_worker(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(
            session,
            account_id,
            1,
            content_id=None,
            template="confirm_signup",
            variables={"link": "secret"},
        )
        worker = a_worker(session)
        claim(session, worker, 1)
        set_expiry(session, message_id, now())
        _age(session, worker)
        assert reclaim(session, timedelta(seconds=15)) == 1
    (message,) = messages(db)
    assert message.state is MessageState.FAILED
    assert message.reply is not None
    assert message.variables is None  # nobody needs the link any more


def test_what_waited_past_its_time_ends_when_it_is_claimed(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        late, good = add_messages(session, account_id, 2)
        set_expiry(session, late, now() - timedelta(seconds=1))
        held = claim(session, a_worker(session), 10)
    assert [message.id for message in held] == [good]
    assert messages(db)[0].state is MessageState.FAILED
    assert messages(db)[0].worker_id is None


def test_what_came_back_from_the_dead_twice_is_due_a_few_at_a_time(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 40)
        for _ in range(2):
            worker = a_worker(session)
            assert len(claim(session, worker, 100)) == 40
            _age(session, worker)
            assert reclaim(session, timedelta(seconds=15)) == 40
    due = sorted(message.due_at for message in messages(db) if message.due_at)
    assert len(due) == 40
    assert len(set(due)) == 10


def test_a_held_lane_keeps_all_it_has_and_opens_again(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 3, stream=Stream.COMMERCIAL)
        (receipt,) = add_messages(session, account_id, 1)
        lane = lane_id_for(session, account_id, Stream.COMMERCIAL)
        assert hold_lane(session, account_id, lane)
        assert not hold_lane(session, account_id, lane)
        worker = a_worker(session)
        assert [message.id for message in claim(session, worker, 10)] == [receipt]
        assert not open_lane(session, account_id + 1, lane)
        assert open_lane(session, account_id, lane)
        assert len(claim(session, worker, 10)) == 3


@pytest.mark.parametrize("has_limits", [False, True])
def test_a_pause_holds_at_once_for_what_is_claimed_after_it(
    db: Database, account_id: int, monkeypatch: pytest.MonkeyPatch, has_limits: bool
) -> None:
    """Also where the lanes were looked at before; the others go on, and what has none."""
    monkeypatch.setattr(claims, "_LOOK_EVERY", 600)
    claimer = Claimer(has_limits=has_limits)
    with db.transaction() as session:
        other = add_account(session, "Other", "jo@yourcompany.com")
        paused = add_messages(session, account_id, 30, stream=Stream.COMMERCIAL)
        again = add_messages(session, account_id, 1, stream=Stream.COMMERCIAL, tries=1)
        theirs = add_messages(session, other, 30, stream=Stream.COMMERCIAL)
        of_no_lane = add_messages(session, other, 20, lane_id=0)
        worker = a_worker(session)
        assert {one.lane_id for one in claimer.claim(session, worker, 10)} == {0}
    with db.transaction() as session:
        lane = lane_id_for(session, account_id, Stream.COMMERCIAL)
        assert hold_lane(session, account_id, lane)
    taken = []
    for _ in range(8):
        with db.transaction() as session:
            taken += [one.id for one in claimer.claim(session, worker, 100)]
    assert sorted(taken) == sorted([*of_no_lane[10:], *theirs])
    assert not {*paused, *again} & set(taken)
    with db.transaction() as session:
        assert open_lane(session, account_id, lane)
        left = Claimer(has_limits=has_limits).claim(session, worker, 100)
        assert sorted(one.id for one in left) == sorted([*paused, *again])


def test_a_pause_holds_at_once_for_what_was_tried_before_at_a_limit_that_is_reached(
    db: Database, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "_LOOK_EVERY", 600)
    claimer = Claimer(has_limits=True)
    with db.transaction() as session:
        set_limit(session, account_id, 1)
        add_messages(session, account_id, 3, stream=Stream.COMMERCIAL)
        add_messages(session, account_id, 3, stream=Stream.COMMERCIAL, tries=1)
        worker = a_worker(session)
        assert len(claimer.claim(session, worker, 2)) == 2
        lane = lane_id_for(session, account_id, Stream.COMMERCIAL)
        assert hold_lane(session, account_id, lane)
        assert claimer.claim(session, worker, 10) == []
        assert open_lane(session, account_id, lane)
        assert len(Claimer(has_limits=True).claim(session, worker, 10)) == 2


def test_a_state_of_the_platform_s_lane_says_nothing(db: Database, account_id: int) -> None:
    """Nobody can hold it; if it were held all the same, its mail would leave."""
    with db.transaction() as session:
        lane = lane_id_for(session, account_id, Stream.TRANSACTIONAL, PLATFORM)
        links = add_messages(session, account_id, 2, lane_id=lane)
        held = update(Lane).where(col(Lane.id) == lane).values(state=LaneState.HELD)
        session.connection().execute(held)
        assert [one.id for one in claim(session, a_worker(session), 10)] == links


def test_a_look_that_takes_long_does_not_keep_the_next_receipt_waiting_for_long(
    db: Database, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is in a lane that was empty, and nobody knows of it before the next look."""
    seconds = [1_000.0]

    def look_for_long(*args: Any, **kwargs: Any) -> Any:
        seconds[0] += 7
        return look(*args, **kwargs)

    monkeypatch.setattr(claims, "time", SimpleNamespace(monotonic=lambda: seconds[0]))
    monkeypatch.setattr(claims, "look", look_for_long)
    claimer = Claimer(has_limits=False)
    with db.transaction() as session:
        add_messages(session, account_id, 60, stream=Stream.COMMERCIAL)
        worker = a_worker(session)
        claimer.claim(session, worker, 10)
        (receipt,) = add_messages(session, account_id, 1)
        seconds[0] += 0.9
        assert receipt not in {one.id for one in claimer.claim(session, worker, 10)}
        seconds[0] += 0.2
        assert claimer.claim(session, worker, 10)[0].id == receipt


@pytest.mark.parametrize(("took", "pause"), [(0.0, 0.25), (0.02, 0.4), (0.28, 1.0)])
def test_a_look_takes_a_twentieth_of_the_time_unless_that_were_long(
    took: float, pause: float
) -> None:
    assert claims._pause_after(took) == pytest.approx(pause)


def test_the_lane_of_the_platform_is_never_held(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        lane = lane_id_for(session, account_id, Stream.TRANSACTIONAL, PLATFORM)
        assert not hold_lane(session, account_id, lane)


def test_accounts_take_turns_by_weight(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        other = add_account(session, "Other", "jo@yourcompany.com")
        add_messages(session, account_id, 1_000, stream=Stream.COMMERCIAL)
        add_messages(session, other, 1_000, stream=Stream.COMMERCIAL)
        heavy = lane_id_for(session, other, Stream.COMMERCIAL)
        session.connection().execute(update(Lane).where(col(Lane.id) == heavy).values(weight=3))
        claimer, worker = Claimer(has_limits=False), a_worker(session)
        held = [message for _ in range(8) for message in claimer.claim(session, worker, 100)]
    assert len(held) == 800
    share = sum(message.account_id == other for message in held) / len(held)
    assert 0.65 <= share <= 0.85


def test_an_account_has_no_more_for_having_many_lanes(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        other = add_account(session, "Other", "jo@yourcompany.com")
        add_messages(session, other, 1_000, stream=Stream.COMMERCIAL)
        lanes = [lane_id_for(session, account_id, Stream.COMMERCIAL, f"b{n}") for n in range(9)]
        for lane in lanes:
            add_messages(session, account_id, 200, stream=Stream.COMMERCIAL, lane_id=lane)
        claimer, worker = Claimer(has_limits=False), a_worker(session)
        held = [message for _ in range(10) for message in claimer.claim(session, worker, 100)]
    share = sum(message.account_id == other for message in held) / len(held)
    assert 0.4 <= share <= 0.6
    of_lanes = Counter(message.lane_id for message in held if message.account_id != other)
    assert set(of_lanes) == set(lanes)
    assert max(of_lanes.values()) <= 100  # two turns


def test_lanes_keep_their_order_over_many_looks(db: Database, account_id: int) -> None:
    """Each claim of few rows looks anew: still everybody has the same."""
    with db.transaction() as session:
        accounts = [account_id, *(add_account(session, f"O{n}", f"jo@o{n}.com") for n in range(4))]
        for account in accounts:
            add_messages(session, account, 40, stream=Stream.COMMERCIAL)
        claimer, worker = Claimer(has_limits=False), a_worker(session)
        held = []
        for _ in range(10):
            claimer._look_at = 0.0
            held += claimer.claim(session, worker, 8)
    assert set(Counter(message.account_id for message in held).values()) == {16}


def test_a_receipt_overtakes_what_waits_in_other_lanes(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 5_000, stream=Stream.COMMERCIAL)
        claimer, worker = Claimer(has_limits=False), a_worker(session)
        assert len(claimer.claim(session, worker, 100)) == 100
        (receipt,) = add_messages(session, account_id, 1)
    end = monotonic() + 60
    while monotonic() < end:
        with db.transaction() as session:
            held = claimer.claim(session, worker, 1)
        if held[0].id == receipt:
            return
    raise AssertionError("the receipt waited behind a broadcast")


def test_a_row_without_a_lane_still_leaves(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1, lane_id=0)
        assert [one.id for one in claim(session, a_worker(session), 10)] == [message_id]


def test_postponed_rows_wait_free_of_charge(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        first, second = add_messages(session, account_id, 2)
        worker = a_worker(session)
        claim(session, worker, 10)
        set_expiry(session, second, now() - timedelta(seconds=1))
        later = now() + timedelta(minutes=2)
        postpone(session, worker, {first: later, second: later})
    one, two = messages(db)
    assert (one.state, one.due_at, one.tries, one.attempts) == (MessageState.QUEUED, later, 0, 0)
    assert two.state is MessageState.FAILED


def test_nothing_is_postponed_past_its_time(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1)
        worker = a_worker(session)
        claim(session, worker, 10)
        postpone(session, worker, {message_id: now() + timedelta(days=30)})
    (message,) = messages(db)
    assert message.due_at == message.expires_at


def test_rows_of_others_are_not_postponed(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, a_worker(session), 10)
        postpone(session, a_worker(session), {message_id: now()})
    assert messages(db)[0].state is MessageState.SENDING


def test_answers_of_the_server_are_no_deaths(db: Database, account_id: int) -> None:
    """A greylisted message that one kill meets is not taken for what kills workers."""
    reply = Deferred(Stage.RCPT, 450, "4.2.0 greylisted", "mx:25")
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        for _ in range(5):
            _make_due(session, message_id)
            claim(session, worker, 1)
            record_results(session, worker, [Result(message_id, reply, None)])
        _die_with(session, message_id, 1)
    (message,) = messages(db)
    assert (message.tries, message.attempts, message.deaths) == (5, 6, 1)
    assert _wait_of(message) <= timedelta(0)


def test_a_worker_that_was_buried_claims_nothing(db: Database, account_id: int) -> None:
    """Rows under its number would be held by nobody, for ever."""
    with db.transaction() as session:
        buried = a_worker(session)
        _age(session, buried)
        reclaim(session, timedelta(seconds=15))
        add_messages(session, account_id, 1)
    with pytest.raises(WorkerGone), db.transaction() as session:
        claim(session, buried, 1)
    assert messages(db)[0].worker_id is None


def test_nobody_is_buried_in_the_middle_of_a_claim(db: Database, account_id: int) -> None:
    """And one that hangs there stops nobody's heart: its burial waits, the burier does not."""
    if db.is_sqlite:
        return  # there is one writer at a time
    with db.transaction() as session:
        worker = a_worker(session)
        add_messages(session, account_id, 1)
    with db.transaction() as claiming:
        _age_elsewhere(db, worker)
        claim(claiming, worker, 1)
        with db.transaction() as burying:
            burying.connection().execute(text("SET LOCAL lock_timeout = '5s'"))
            assert reclaim(burying, timedelta(seconds=15)) == 0
    with db.transaction() as session:
        assert reclaim(session, timedelta(seconds=15)) == 1


def _age_elsewhere(db: Database, worker_id: int) -> None:
    with db.transaction() as session:
        _age(session, worker_id)


def test_a_clock_that_was_set_back_keeps_no_row_with_a_dead_worker(
    db: Database, account_id: int
) -> None:
    """Its last heartbeat lies in the future. It is not buried for that, as it may live."""
    lease = timedelta(seconds=1)
    with db.transaction() as session:
        add_messages(session, account_id, 3)
        worker = a_worker(session)
        claim(session, worker, 3)
        session.connection().execute(update(Worker).values(heartbeat_at=now() + timedelta(days=1)))
        assert reclaim(session, lease) == 0
    sleep(1.1)
    with db.transaction() as session:
        assert reclaim(session, lease) == 3


def test_rows_under_a_number_that_is_no_workers_are_taken_up(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        alive = a_worker(session)
        ids = add_messages(session, account_id, 3)
        claim(session, alive, 1)
        session.connection().execute(
            update(Message)
            .where(Message.id.in_(ids[1:]))  # type: ignore[attr-defined]
            .values(worker_id=12345, due_at=None, state=MessageState.SENDING)
        )
        assert reclaim(session, timedelta(seconds=15)) == 2
    assert [m.worker_id for m in messages(db)] == [alive, None, None]
    assert all(m.due_at is not None for m in messages(db)[1:])


def test_what_a_living_worker_does_not_know_of_is_given_back(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        worker, other = a_worker(session), a_worker(session)
        add_messages(session, account_id, 3)
        (known, _) = claim(session, worker, 2)
        claim(session, other, 1)
        assert release_others(session, worker, [known.id]) == 1
    found = messages(db)
    assert [m.worker_id for m in found] == [worker, None, other]
    assert (found[1].state, found[1].attempts, found[1].deaths) == (MessageState.QUEUED, 0, 0)


def test_the_sender_named_at_first_stays_where_a_result_names_none(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        answer = SenderAnswer("d", "Doe", "jane@doeinc.com", None, None, ["c", "why"], [])
        resolved_id = store_resolved_sender(session, account_id, answer)
        worker = a_worker(session)
        ids = add_messages(session, account_id, 2, resolved_id=resolved_id)
        claim(session, worker, 2)
        results = [Result(ids[0], OK, None), Result(ids[1], Failed("no"), None)]
        assert record_results(session, worker, results) == 2
    assert {m.resolved_id for m in messages(db)} == {resolved_id}


def _make_due(session: Session, message_id: int) -> None:
    session.connection().execute(
        update(Message)
        .where(Message.id == message_id)  # type: ignore[arg-type]
        .values(due_at=now())
    )


def test_giving_rows_back_is_free(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        worker = a_worker(session)
        ids = add_messages(session, account_id, 2)
        claim(session, worker, 2)
        release(session, worker, ids[:1])
        assert len(claim(session, a_worker(session), 5)) == 1
        sign_off(session, worker)
    second = messages(db)[1]
    assert (second.state, second.attempts, second.worker_id) == (MessageState.QUEUED, 0, None)


def test_the_links_in_our_own_mails_are_gone_once_they_are_sent(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(
            session,
            account_id,
            1,
            content_id=None,
            template="confirm_signup",
            variables={"link": "secret"},
        )
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, OK, None)])
    assert messages(db)[0].variables is None


def test_the_queue_is_measured(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        figures = measure_queue(session, timedelta(seconds=15), has_limits=True)
        assert (figures.due, figures.later, figures.waiting_since) == (0, 0, None)
        add_messages(session, account_id, 2, due_at=now() + timedelta(hours=1))
        figures = measure_queue(session, timedelta(seconds=15), has_limits=True)
        assert (figures.due, figures.later, figures.waiting_since) == (0, 2, None)
        add_messages(session, account_id, 3)
        a_worker(session)
        figures = measure_queue(session, timedelta(seconds=15), has_limits=True)
    assert (figures.due, figures.later, figures.workers) == (3, 2, 1)
    assert figures.waiting_since is not None
    assert figures.waiting_since <= now()
