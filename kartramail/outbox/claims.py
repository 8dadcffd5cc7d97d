"""Claims: which worker holds which rows. One of the few files that cross accounts.

A worker's hold is kept by its heartbeat, whose age is told by the database's clock: machines whose
clocks differ must not bury each other's workers. What a dead worker held is due again; what a
worker that lost its rows still reports is not taken (`results.py` writes only
`WHERE worker_id = me`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, RowMapping, bindparam, case, literal, or_
from sqlmodel import Session, col, delete, func, insert, select, update

from kartramail.clock import now
from kartramail.errors import KartraMailError
from kartramail.ids import new_id
from kartramail.outbox.cancellation import end_called_back
from kartramail.outbox.models import (
    VARIABLES_AFTER_THE_END,
    Event,
    EventKind,
    Message,
    MessageState,
    SourceKind,
    Worker,
)
from kartramail.rules.backoff import next_wait
from kartramail.rules.streams import Stream

# Transactional goes first (R-FAIR).
_ORDER = (Stream.TRANSACTIONAL, Stream.COMMERCIAL)

# A message that was held by three dead workers may be what kills them: from then on it waits. One
# that ten have died with is given up, some three hours after the fourth.
_DEATHS_FORGIVEN = 3
_MOST_DEATHS = 10

_TIME_OVER = "Given up before it was tried again: its time was over."


class WorkerGone(KartraMailError):
    """Others have declared this worker dead and taken its rows: it must register anew."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What delivery needs to know of a row that it holds."""

    id: int
    account_id: int
    stream: Stream
    created_at: datetime
    source_kind: SourceKind
    content_id: int | None
    template: str | None
    type: str | None
    asset_id: int | None
    sender_id: int | None
    to_addr: str
    variables: dict[str, Any] | None
    tries: int


_COLUMNS = [getattr(Message, name) for name in Claimed.__dataclass_fields__]


def database_now(session: Session) -> datetime:
    """The moment by the clock that all workers of this database share.

    SQLite's is this machine's, as all of its workers are here.
    """
    if session.connection().dialect.name == "sqlite":
        return now()
    moment: datetime = session.connection().scalar(select(func.clock_timestamp()))
    return moment


def register_worker(session: Session, host: str, pid: int) -> int:
    """A new worker; returns its number. A process that was declared dead registers anew."""
    at = database_now(session)
    worker = Worker(id=new_id(), host=host[:255], pid=pid, started_at=at, heartbeat_at=at)
    session.add(worker)
    session.flush()
    return worker.id


def beat(session: Session, worker_id: int) -> bool:
    """Say that the worker lives. False when others have declared it dead and took its rows."""
    result = session.connection().execute(
        update(Worker).where(col(Worker.id) == worker_id).values(heartbeat_at=database_now(session))
    )
    return result.rowcount == 1


def sign_off(session: Session, worker_id: int) -> None:
    """The worker ends in good order: whatever it still holds was not on the wire."""
    release(session, worker_id)
    session.connection().execute(delete(Worker).where(col(Worker.id) == worker_id))


def claim(session: Session, worker_id: int, limit: int) -> list[Claimed]:
    """Take up to `limit` due messages for this worker, the most urgent first.

    Raises WorkerGone when others have buried this worker. Its own row stays locked until the
    transaction ends, so that nobody buries it between: rows under the number of a worker that is
    gone would be held by nobody.
    """
    mine = session.connection().execute(_LOCK_WORKER, {"worker": worker_id})
    if mine.first() is None:
        raise WorkerGone("This worker was declared dead.")
    claimed: list[Claimed] = []
    for stream in _ORDER:
        if len(claimed) < limit:
            claimed += _claim_stream(session, worker_id, stream, limit - len(claimed))
    return claimed


# Built once: claims are small and many, and building a statement costs more than running it.
_LOCK_WORKER = select(Worker.id).where(col(Worker.id) == bindparam("worker")).with_for_update()
_CLAIM = (
    update(Message)
    .where(
        col(Message.id).in_(
            select(Message.id)
            .where(
                Message.stream == bindparam("stream_"),
                col(Message.due_at).is_not(None),
                col(Message.due_at) <= bindparam("at"),
            )
            .order_by(col(Message.due_at), col(Message.id))
            .limit(bindparam("most", type_=Integer))
            .with_for_update(skip_locked=True)
        )
    )
    .values(worker_id=bindparam("worker"), due_at=None, state=MessageState.SENDING)
    .returning(*_COLUMNS)
)


def _claim_stream(session: Session, worker_id: int, stream: Stream, limit: int) -> list[Claimed]:
    values = {"worker": worker_id, "stream_": stream, "at": now(), "most": limit}
    taken = session.connection().execute(_CLAIM, values)
    return sorted((Claimed(*row) for row in taken), key=lambda message: message.id)


def release(session: Session, worker_id: int, ids: Sequence[int] | None = None) -> None:
    """Give rows back that were never on the wire (all of the worker's, or these). It is free.

    What was called back meanwhile, or whose time is over, ends here.
    """
    statement = update(Message).where(col(Message.worker_id) == worker_id)
    if ids is not None:
        statement = statement.where(col(Message.id).in_(ids))
    _make_due(session, statement)


def release_others(session: Session, worker_id: int, held: Collection[int]) -> int:
    """Give back whatever is this worker's by the database, but not among what it holds; how many.

    Such rows are left when the database went away between a claim and its answer, or before rows
    could be given back: a worker that lives would keep them for ever. It is free.
    """
    return _make_due(
        session,
        update(Message).where(
            col(Message.worker_id) == worker_id, col(Message.id).not_in(list(held))
        ),
    )


def _make_due(session: Session, statement: Any) -> int:
    at = now()
    is_over = col(Message.expires_at) <= at
    rows = session.connection().execute(
        statement.values(
            worker_id=None,
            due_at=case((is_over, None), else_=at),
            state=case((is_over, MessageState.FAILED.value), else_=_waiting_state()),
            variables=case((is_over, VARIABLES_AFTER_THE_END), else_=col(Message.variables)),
        ).returning(col(Message.id), col(Message.state))
    )
    states = {row.id: row.state for row in rows}
    _end_unsent(session, [one for one in states if states[one] is MessageState.FAILED])
    return len(states)


def _end_unsent(session: Session, ended: Collection[int]) -> None:
    """Say of what ended here, whether it was called back or its time was over."""
    failed = set(ended) - set(end_called_back(session, ended))
    if not failed:
        return
    session.connection().execute(
        update(Message).where(col(Message.id).in_(failed)).values(reply=_TIME_OVER)
    )
    session.connection().execute(
        insert(Event), [_event(one, EventKind.FAILED, _TIME_OVER) for one in sorted(failed)]
    )


def _event(message_id: int, kind: EventKind, words: str) -> dict[str, Any]:
    return {
        "id": new_id(),
        "message_id": message_id,
        "kind": kind,
        "at": now(),
        "detail": {"words": words},
    }


def _waiting_state() -> Any:
    return case(
        (col(Message.tries) + col(Message.deaths) == 0, MessageState.QUEUED.value),
        else_=MessageState.DEFERRED.value,
    )


def reclaim(session: Session, lease: timedelta) -> int:
    """Make what dead workers held due again; returns how many rows.

    It costs each an attempt (R-RETRY): any of them may have been on the wire, and a message that
    kills its worker must not go round for ever. Rows under a number that is no worker's at all
    are taken as well: whoever held them is gone.
    """
    silent_since = database_now(session) - lease
    dead_ids = list(
        session.exec(
            select(Worker.id)
            .where(Worker.heartbeat_at < silent_since)
            # One that hangs in the middle of a claim must not stop the heart of all others.
            .with_for_update(skip_locked=True)
        )
    )
    # One SELECT sees one moment: a row that a worker holds there, and the worker, or neither.
    held = session.connection().execute(
        select(Message.id, Message.worker_id, Message.deaths)
        .where(
            col(Message.worker_id).is_not(None),
            or_(
                col(Message.worker_id).in_(dead_ids),
                col(Message.worker_id).not_in(select(Worker.id)),
            ),
        )
        .order_by(col(Message.id))
    )
    count = sum(_return_from_dead(session, row) for row in held.mappings().all())
    if dead_ids:
        session.connection().execute(delete(Worker).where(col(Worker.id).in_(dead_ids)))
    return count


def _return_from_dead(session: Session, row: RowMapping) -> bool:
    """Make one row due again, or end it; False when it was no longer that worker's."""
    deaths = row["deaths"] + 1
    late = deaths - _DEATHS_FORGIVEN
    due_at = now() + (next_wait(late, 0.5) if late > 0 else timedelta(0))
    # As the row is now: it may have been called back since it was read.
    is_over = or_(literal(deaths >= _MOST_DEATHS), col(Message.expires_at) <= due_at)
    state = session.connection().scalar(
        update(Message)
        .where(col(Message.id) == row["id"], col(Message.worker_id) == row["worker_id"])
        .values(
            worker_id=None,
            due_at=case((is_over, None), else_=due_at),
            deaths=deaths,
            attempts=col(Message.attempts) + 1,
            state=case((is_over, MessageState.FAILED.value), else_=MessageState.DEFERRED.value),
            reply=case((is_over, _given_up(deaths)), else_=col(Message.reply)),
            variables=case((is_over, VARIABLES_AFTER_THE_END), else_=col(Message.variables)),
        )
        .returning(col(Message.state))
    )
    if state is None:
        return False
    words = "The process that held this message ended before it could report."
    session.connection().execute(insert(Event), [_event(row["id"], EventKind.RECLAIMED, words)])
    if state is MessageState.FAILED:
        end_called_back(session, [row["id"]])
    return True


def _given_up(deaths: int) -> str:
    if deaths >= _MOST_DEATHS:
        return f"Given up: {deaths} processes ended while they held this message."
    return "Given up: the process that held this message ended, and its time is over."


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """How the queue stands, for banners and metrics. `waiting_since` is None with nothing due."""

    due: int
    waiting_since: datetime | None
    workers: int


def measure_queue(session: Session, lease: timedelta) -> QueueFigures:
    """What is due now, since when the oldest waits, and how many workers are alive."""
    at = now()
    due, oldest = session.exec(
        select(func.count(), func.min(Message.due_at)).where(
            col(Message.due_at).is_not(None), col(Message.due_at) <= at
        )
    ).one()
    beaten_since = database_now(session) - lease
    alive = session.exec(select(func.count()).where(col(Worker.heartbeat_at) >= beaten_since)).one()
    return QueueFigures(due=due, waiting_since=oldest, workers=alive)


def waiting_without_worker(session: Session, lease: timedelta) -> datetime | None:
    """Since when mail waits with nobody to deliver it; None while a worker lives or none waits."""
    beaten_since = database_now(session) - lease
    is_alive = session.exec(
        select(Worker.id).where(col(Worker.heartbeat_at) >= beaten_since).limit(1)
    ).first()
    if is_alive is not None:
        return None
    at = now()
    oldest = [
        session.exec(
            select(Message.due_at)
            .where(
                Message.stream == stream,
                col(Message.due_at).is_not(None),
                col(Message.due_at) <= at,
            )
            .order_by(col(Message.due_at), col(Message.id))
            .limit(1)
        ).first()
        for stream in _ORDER
    ]
    return min((due_at for due_at in oldest if due_at is not None), default=None)
