"""Claims: which worker holds which rows. One of the few files that cross accounts.

A worker's hold is kept by its heartbeat. What a dead worker held is due again; what a worker that
lost its rows still reports is not taken (`results.py` writes only `WHERE worker_id = me`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, case
from sqlmodel import Session, col, delete, func, insert, select, update

from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.outbox.models import Event, EventKind, Message, MessageState, SourceKind, Worker
from kartramail.rules.backoff import next_wait
from kartramail.rules.streams import Stream

# Transactional goes first (R-FAIR).
_ORDER = (Stream.TRANSACTIONAL, Stream.COMMERCIAL)

# A message that was held by three dead workers may be what kills them: from then on it waits.
_DEATHS_FORGIVEN = 3


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
    sender_id: int | None
    to_addr: str
    variables: dict[str, Any] | None
    tries: int


_COLUMNS = [getattr(Message, name) for name in Claimed.__dataclass_fields__]


def register_worker(session: Session, host: str, pid: int) -> int:
    """A new worker; returns its number. A process that was declared dead registers anew."""
    worker = Worker(id=new_id(), host=host[:255], pid=pid)
    session.add(worker)
    session.flush()
    return worker.id


def beat(session: Session, worker_id: int) -> bool:
    """Say that the worker lives. False when others have declared it dead and took its rows."""
    result = session.connection().execute(
        update(Worker).where(col(Worker.id) == worker_id).values(heartbeat_at=now())
    )
    return result.rowcount == 1


def sign_off(session: Session, worker_id: int) -> None:
    """The worker ends in good order: whatever it still holds was not on the wire."""
    release(session, worker_id)
    session.connection().execute(delete(Worker).where(col(Worker.id) == worker_id))


def claim(session: Session, worker_id: int, limit: int) -> list[Claimed]:
    """Take up to `limit` due messages for this worker, the most urgent first."""
    claimed: list[Claimed] = []
    for stream in _ORDER:
        if len(claimed) < limit:
            claimed += _claim_stream(session, worker_id, stream, limit - len(claimed))
    return claimed


def _claim_stream(session: Session, worker_id: int, stream: Stream, limit: int) -> list[Claimed]:
    due = (
        select(Message.id)
        .where(
            Message.stream == stream,
            col(Message.due_at).is_not(None),
            col(Message.due_at) <= now(),
        )
        .order_by(col(Message.due_at), col(Message.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    taken = session.connection().execute(
        update(Message)
        .where(col(Message.id).in_(due))
        .values(worker_id=worker_id, due_at=None, state=MessageState.SENDING)
        .returning(*_COLUMNS)
    )
    return sorted((Claimed(*row) for row in taken), key=lambda message: message.id)


def release(session: Session, worker_id: int, ids: Sequence[int] | None = None) -> None:
    """Give rows back that were never on the wire (all of the worker's, or these). It is free."""
    statement = update(Message).where(col(Message.worker_id) == worker_id)
    if ids is not None:
        statement = statement.where(col(Message.id).in_(ids))
    session.connection().execute(
        statement.values(worker_id=None, due_at=now(), state=_waiting_state())
    )


def _waiting_state() -> Any:
    return case(
        (col(Message.tries) == 0, MessageState.QUEUED.value), else_=MessageState.DEFERRED.value
    )


def reclaim(session: Session, lease: timedelta) -> int:
    """Make what dead workers held due again; returns how many rows.

    It costs each an attempt (R-RETRY): any of them may have been on the wire, and a message that
    kills its worker must not go round for ever.
    """
    silent_since = now() - lease
    dead = select(Worker.id).where(Worker.heartbeat_at < silent_since).with_for_update()
    dead_ids = list(session.exec(dead))
    if not dead_ids:
        return 0
    held = session.connection().execute(
        select(Message.id, Message.attempts, Message.tries, Message.expires_at).where(
            col(Message.worker_id).in_(dead_ids)
        )
    )
    rows = held.mappings().all()
    for row in rows:
        _return_from_dead(session, row, dead_ids)
    session.connection().execute(delete(Worker).where(col(Worker.id).in_(dead_ids)))
    return len(rows)


def _return_from_dead(session: Session, row: RowMapping, dead_ids: Iterable[int]) -> None:
    deaths = row["attempts"] + 1
    wait = timedelta(0) if deaths <= _DEATHS_FORGIVEN else next_wait(deaths, 0.5)
    due_at = now() + wait
    is_over = row["expires_at"] <= due_at
    session.connection().execute(
        update(Message)
        .where(col(Message.id) == row["id"], col(Message.worker_id).in_(dead_ids))
        .values(
            worker_id=None,
            due_at=None if is_over else due_at,
            attempts=deaths,
            tries=row["tries"] + 1,
            state=MessageState.FAILED if is_over else MessageState.DEFERRED,
        )
    )
    session.connection().execute(
        insert(Event).values(
            id=new_id(),
            message_id=row["id"],
            kind=EventKind.RECLAIMED,
            at=now(),
            detail={"words": "The process that held this message ended before it could report."},
        )
    )


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
    alive = session.exec(select(func.count()).where(col(Worker.heartbeat_at) >= at - lease)).one()
    return QueueFigures(due=due, waiting_since=oldest, workers=alive)


def waiting_without_worker(session: Session, lease: timedelta) -> datetime | None:
    """Since when mail waits with nobody to deliver it; None while a worker lives or none waits."""
    at = now()
    is_alive = session.exec(
        select(Worker.id).where(col(Worker.heartbeat_at) >= at - lease).limit(1)
    ).first()
    if is_alive is not None:
        return None
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
