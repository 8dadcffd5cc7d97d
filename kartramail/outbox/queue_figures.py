"""How the queue stands, over all accounts: one of the few files that cross them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from kartramail.clock import now
from kartramail.outbox.lane_looks import first_due
from kartramail.outbox.models import Message, Worker
from kartramail.outbox.workers import database_now


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
    oldest = first_due(session)
    return oldest if oldest is not None and oldest <= now() else None
