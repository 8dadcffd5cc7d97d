"""How the queue stands, over all accounts: one of the few files that cross them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from kartramail.outbox.floors import Floors
from kartramail.outbox.queue_figures import measure_queue


@dataclass(frozen=True, slots=True)
class Figures:
    """Messages by where they stand, and workers that are alive: what waits is counted, by index.

    `held` is as old as a heartbeat.
    """

    due: int
    later: int
    held: int
    oldest_due_at: datetime | None
    workers: int


def measure(
    session: Session, lease: timedelta, floors: Floors | None = None, *, has_limits: bool
) -> Figures:
    """The figures now; a worker lives whose heartbeat is younger than `lease`.

    `floors` as `measure_queue` has them; `has_limits`: whether accounts have daily limits here.
    """
    queue = measure_queue(session, lease, floors, has_limits=has_limits)
    return Figures(
        due=queue.due,
        later=queue.later,
        held=queue.held,
        oldest_due_at=queue.waiting_since,
        workers=queue.workers,
    )
