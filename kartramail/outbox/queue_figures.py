"""How the queue stands, over all accounts: one of the few files that cross them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session, col, func, select

from kartramail.clock import now
from kartramail.outbox.lane_looks import first_due
from kartramail.outbox.models import Message, Worker
from kartramail.outbox.workers import database_now


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """How the queue stands, for banners and metrics.

    `waiting_since` is about what could leave now, None where nothing can: what somebody has paused
    is due and may be so for weeks, and nobody is to be woken for that.
    """

    due: int
    later: int
    waiting_since: datetime | None
    workers: int


def measure_queue(session: Session, lease: timedelta) -> QueueFigures:
    """What is due now and later, since when the oldest waits, and how many workers are alive.

    Costs as much as there is that waits: half a million are counted in some 0.3 s.
    """
    at = now()
    with _by_index(session):
        waiting, due = session.exec(
            select(func.count(), func.count().filter(col(Message.due_at) <= at)).where(
                col(Message.due_at).is_not(None)
            )
        ).one()
    oldest = _first_that_can_leave(session, at)
    beaten_since = database_now(session) - lease
    alive = session.exec(select(func.count()).where(col(Worker.heartbeat_at) >= beaten_since)).one()
    return QueueFigures(due=due, later=waiting - due, waiting_since=oldest, workers=alive)


def _first_that_can_leave(session: Session, at: datetime) -> datetime | None:
    oldest = first_due(session)
    return oldest if oldest is not None and oldest <= at else None


@contextmanager
def _by_index(session: Session) -> Iterator[None]:
    """Read what waits, and nothing of what has ended.

    Where PostgreSQL has not vacuumed yet, it would read the whole table for a large part of it,
    which takes as long at first, and ever longer as what has been sent is kept.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        yield
        return
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    yield
    connection.execute(text("SET LOCAL enable_seqscan TO DEFAULT"))


def waiting_without_worker(session: Session, lease: timedelta) -> datetime | None:
    """Since when mail waits with nobody to deliver it; None while a worker lives or none waits."""
    beaten_since = database_now(session) - lease
    is_alive = session.exec(
        select(Worker.id).where(col(Worker.heartbeat_at) >= beaten_since).limit(1)
    ).first()
    if is_alive is not None:
        return None
    return _first_that_can_leave(session, now())
