"""What workers put to the database all the time, each as a function that takes a session."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select, update

from kartramail.clock import now
from kartramail.messages.by_hand import Outcome, cancel, try_now
from kartramail.outbox.cancellation import cancel_waiting
from kartramail.outbox.claims import Claimer
from kartramail.outbox.destinations import Closed, load_closed, note_destinations
from kartramail.outbox.idempotency import forget_expired
from kartramail.outbox.lane_looks import first_due
from kartramail.outbox.limits import load_limits, reserve, set_limit
from kartramail.outbox.models import WAITS_AGAIN, Message, MessageState
from kartramail.outbox.queue_figures import measure_queue, waiting_without_worker
from kartramail.outbox.releases import postpone, release, release_others
from kartramail.outbox.results import Failed, Result, record_results
from kartramail.outbox.retention import move_batch
from kartramail.outbox.waiting import waiting
from kartramail.outbox.workers import beat, reclaim, register_worker, sign_off
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from kartramail.rules.streams import Stream
from tests.support.million import LANES, ROWS, Million

LEASE = timedelta(seconds=15)
LONG = timedelta(days=30)

Work = Callable[[Million, Session, int], None]
"""Takes the session of a transaction, and the number of a worker."""


def take(session: Session, worker: int, count: int = 40) -> list[int]:
    return [one.id for one in Claimer(has_limits=True).claim(session, worker, count)]


def claims(full: Million, session: Session, worker: int) -> None:
    assert len(take(session, worker)) == 40


def claims_by_what_a_look_remembers(full: Million, session: Session, worker: int) -> None:
    claimer = Claimer(has_limits=True)
    for _ in range(3):
        assert claimer.claim(session, worker, 40)


def claims_at_the_limit(full: Million, session: Session, worker: int) -> None:
    """Every account has sent what it may, and each lane has two rows that were tried before."""
    for account_id in full.accounts:
        set_limit(session, account_id, 1)
        for stream in Stream:
            reserve(session, {(account_id, stream): 1}, now().date(), 1)
    session.connection().execute(  # what other tests have left
        update(Message)
        .where(col(Message.lane_id).in_(full.lanes), text(WAITS_AGAIN))
        .values(tries=0, deaths=0)
    )
    again = {one for lane_id in full.lanes for one in _last_of(session, lane_id, 2)}
    session.connection().execute(update(Message).where(col(Message.id).in_(again)).values(tries=1))
    claimer = Claimer(has_limits=True)
    taken = [one.id for _ in range(3) for one in claimer.claim(session, worker, 1_000)]
    assert sorted(taken) == sorted(again)
    for account_id in full.accounts:
        set_limit(session, account_id, None)


def _last_of(session: Session, lane_id: int, count: int) -> Sequence[int]:
    waits = (col(Message.lane_id) == lane_id, col(Message.due_at) <= now())
    order = (col(Message.due_at).desc(), col(Message.id).desc())
    return session.exec(select(Message.id).where(*waits).order_by(*order).limit(count)).all()


def expired_ones(full: Million, session: Session, worker: int) -> None:
    """Their time is over when they are claimed: they end, and are not taken."""
    claimer = Claimer(has_limits=True)
    ids = [one.id for one in claimer.claim(session, worker, 40)]
    release(session, worker, ids)
    session.connection().execute(
        update(Message).where(col(Message.id).in_(ids)).values(expires_at=now(), due_at=_EARLY)
    )
    assert not set(ids) & {one.id for one in Claimer(has_limits=True).claim(session, worker, 100)}
    states = select(Message.state).where(col(Message.id).in_(ids))
    assert set(session.exec(states)) == {MessageState.FAILED}


_EARLY = datetime(2026, 1, 1, tzinfo=now().tzinfo)


def results(full: Million, session: Session, worker: int) -> None:
    """Accepted, put off, refused, failed; late, and past their time; and again."""
    outcomes: list[Any] = [
        Accepted(250, "Ok", "mx:25"),
        Deferred(Stage.RCPT, 451, "4.3.0 later", "mx:25"),
        Refused(Stage.RCPT, 550, "5.1.1 unknown", "mx:25"),
        Failed("no template"),
    ]
    ids = take(session, worker)
    told = [Result(one, outcomes[n % 4], None) for n, one in enumerate(ids)]
    assert record_results(session, worker, told) == len(told) == 40
    assert record_results(session, worker, told) == 0


def delays_and_ends(full: Million, session: Session, worker: int) -> None:
    """What was tried long ago is said to be late, and what has had its time ends."""
    ids = take(session, worker)
    old = now() - LONG
    mine = col(Message.id).in_(ids)
    session.connection().execute(update(Message).where(mine).values(created_at=old))
    later = Deferred(Stage.RCPT, 451, "4.3.0 later", "mx:25")
    session.connection().execute(
        update(Message).where(col(Message.id).in_(ids[:20])).values(expires_at=now())
    )
    cancel_waiting(session, full.alice.account_id, ids[20:], "it was called back")
    told = [Result(one, later, None) for one in ids]
    assert record_results(session, worker, told) == 40


def leases(full: Million, session: Session, worker: int) -> None:
    other = register_worker(session, "another", 2)
    assert beat(session, worker)
    sign_off(session, other)


def the_dead(full: Million, session: Session, worker: int) -> None:
    take(session, worker)
    assert reclaim(session, timedelta(seconds=-1)) >= 40


def giving_back(full: Million, session: Session, worker: int) -> None:
    release(session, worker, take(session, worker))
    take(session, worker)
    release(session, worker)


def putting_off(full: Million, session: Session, worker: int) -> None:
    due = now() + timedelta(minutes=1)
    postpone(session, worker, dict.fromkeys(take(session, worker), due))


def giving_others_back(full: Million, session: Session, worker: int) -> None:
    ids = take(session, worker)
    assert release_others(session, worker, ids[:1]) == 39


def why_all_waits(full: Million, session: Session, worker: int) -> None:
    account_id = full.alice.account_id
    assert waiting(session, account_id, has_limits=True, lease=LEASE)


def why_it_waits_without_workers(full: Million, session: Session, worker: int) -> None:
    sign_off(session, worker)
    assert first_due(session, has_limits=True) is not None
    assert waiting_without_worker(session, timedelta(seconds=-1), has_limits=True) is not None


def limits_of_all(full: Million, session: Session, worker: int) -> None:
    assert len(load_limits(session, full.accounts)) == LANES


def slow_destinations(full: Million, session: Session, worker: int) -> None:
    closed = Closed(now() + timedelta(minutes=1), 0, "It asked us to slow down.")
    note_destinations(session, {f"slow{n}.example": closed for n in range(20)})
    assert len(load_closed(session, now())) == 20


def figures(full: Million, session: Session, worker: int) -> None:
    assert measure_queue(session, LEASE, has_limits=True).due > ROWS // 3


def moving_old_ones(full: Million, session: Session, worker: int) -> None:
    moved = move_batch(session, now() + LONG, 0, 100)
    assert moved.messages == 100
    assert moved.last_id is not None
    assert move_batch(session, now() + LONG, moved.last_id, 100).messages == 100


def forgetting_requests(full: Million, session: Session, worker: int) -> None:
    forget_expired(session)


def calling_back(full: Million, session: Session, worker: int) -> None:
    mine = _waiting_of(full, session)
    assert cancel_waiting(session, full.alice.account_id, mine[:20], "nobody wants it") == mine[:20]
    why, user_id = "nobody wants it", full.alice.user_id
    done = cancel(session, full.alice.account_id, mine[20], why, user_id=user_id)
    assert done is Outcome.DONE


def trying_now(full: Million, session: Session, worker: int) -> None:
    number, user_id = _waiting_of(full, session)[0], full.alice.user_id
    later = {"state": MessageState.DEFERRED, "due_at": now() + LEASE, "tries": 1}
    session.connection().execute(update(Message).where(col(Message.id) == number).values(**later))
    assert try_now(session, full.alice.account_id, number, user_id=user_id) is Outcome.DONE


def _waiting_of(full: Million, session: Session) -> list[int]:
    return sorted(_last_of(session, full.lanes[0], 40))  # Alice's


WORKS: Sequence[Work] = (
    *(claims, claims_by_what_a_look_remembers, claims_at_the_limit, expired_ones),
    *(results, delays_and_ends, leases, the_dead, giving_back, putting_off, giving_others_back),
    *(why_all_waits, why_it_waits_without_workers, limits_of_all, slow_destinations),
    *(moving_old_ones, forgetting_requests, calling_back, trying_now),
)
