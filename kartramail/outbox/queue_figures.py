"""How the queue stands, over all accounts: one of the few files that cross them."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, literal, or_, tuple_
from sqlmodel import Session, col, func, select

from kartramail.clock import now
from kartramail.column_types import IdType, UtcDateTime
from kartramail.outbox.by_index import by_index
from kartramail.outbox.floors import Floors, Place
from kartramail.outbox.lane_looks import first_due, waiting_since
from kartramail.outbox.models import Message, Worker
from kartramail.outbox.waiting_lanes import LaneFront, find_waiting_lanes
from kartramail.outbox.workers import database_now


@dataclass(frozen=True, slots=True)
class QueueFigures:
    """How the queue stands, for banners and metrics.

    `waiting_since` is about what could leave now, None where nothing can: what somebody has paused
    is due and may be so for weeks, what stands behind the limit of a day until midnight, and nobody
    is to be woken for that. `held` is what workers had in their hands at their last heartbeats,
    also those that died since.
    """

    due: int
    later: int
    held: int
    waiting_since: datetime | None
    workers: int


_MISSED_FOR = 300.0
"""Seconds for which the figures may miss what came in far below all that waited in its lane."""


def figures_floors() -> Floors:
    """What a process is to remember from one measurement to the next."""
    return Floors(whole_every=_MISSED_FOR)


def measure_queue(
    session: Session, lease: timedelta, floors: Floors | None = None, *, has_limits: bool
) -> QueueFigures:
    """What is due now and later, and held; since when the oldest waits; how many workers live.

    Costs as much as there is that waits: half a million are counted in some 0.3 s. By `floors`,
    it costs nothing for what has left while an old transaction on PostgreSQL may still see it.
    """
    at = now()
    floors = floors or figures_floors()
    start = floors.start()
    lanes = _look(session, at, floors, start)
    waiting, due = _count(session, lanes, at)
    beaten_since = database_now(session) - lease
    alive, held = session.exec(
        select(
            func.count().filter(col(Worker.heartbeat_at) >= beaten_since),
            func.coalesce(func.sum(col(Worker.held)), 0),
        )
    ).one()
    return QueueFigures(
        due=due,
        later=waiting - due,
        held=int(held),
        waiting_since=waiting_since(session, lanes, start, at, has_limits=has_limits),
        workers=alive,
    )


def _look(
    session: Session, at: datetime, floors: Floors, start: Mapping[int, Place]
) -> list[LaneFront]:
    started = time.monotonic()
    found = find_waiting_lanes(session, start)
    places = {lane.id: Place(lane.due_at, lane.first_id) for lane in found}
    floors.note(places, at, is_whole=not start, seconds=time.monotonic() - started)
    return found


_MOST_LANES = 200
"""Beyond, a statement that names each lane and where it begins is too long."""


def _count(session: Session, lanes: Sequence[LaneFront], at: datetime) -> tuple[int, int]:
    """What waits, and what of it is due."""
    waits: list[Any] = [col(Message.due_at).is_not(None)]
    if session.connection().dialect.name != "sqlite" and 0 < len(lanes) <= _MOST_LANES:
        waits.append(or_(*(_from_the_first(lane) for lane in lanes)))
    counts: Any = select(func.count(), func.count().filter(col(Message.due_at) <= at)).where(*waits)
    with by_index(session):
        waiting, due = session.exec(counts).one()
    return waiting, due


def _from_the_first(lane: LaneFront) -> Any:
    """What has left the lane lies below, and may still be visible.

    One condition a lane, and not one look a lane: PostgreSQL finds the places of all by the index
    first, and then visits each page once, however the lanes lie among each other.
    """
    place = tuple_(literal(lane.due_at, UtcDateTime), literal(lane.first_id, IdType))
    return and_(
        col(Message.lane_id) == lane.id, tuple_(col(Message.due_at), col(Message.id)) >= place
    )


def waiting_without_worker(
    session: Session, lease: timedelta, *, has_limits: bool
) -> datetime | None:
    """Since when mail waits with nobody to deliver it; None while a worker lives or none could
    leave.
    """
    beaten_since = database_now(session) - lease
    is_alive = session.exec(
        select(Worker.id).where(col(Worker.heartbeat_at) >= beaten_since).limit(1)
    ).first()
    if is_alive is not None:
        return None
    return first_due(session, has_limits=has_limits)
