"""How the queue stands, over all accounts: one of the few files that cross them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, select

from kartramail.outbox.models import Message
from kartramail.outbox.queue_figures import measure_queue


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages by where they stand, and workers that are alive: counts of what waits, by index."""

    due: int
    later: int
    held: int
    oldest_due_at: datetime | None
    workers: int


def measure(session: Session, lease: timedelta) -> Figures:
    """The figures now; a worker lives whose heartbeat is younger than `lease`."""
    queue = measure_queue(session, lease)
    return Figures(
        due=queue.due,
        later=queue.later,
        held=session.exec(select(func.count()).where(col(Message.worker_id).is_not(None))).one(),
        oldest_due_at=queue.waiting_since,
        workers=queue.workers,
    )
