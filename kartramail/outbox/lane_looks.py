"""Which lanes have something that may leave now (R-FAIR): one of the files that cross accounts."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from kartramail.outbox.floors import MOST_EMPTY, Floors, Place
from kartramail.outbox.lanes import PLATFORM
from kartramail.outbox.limits import load_limits
from kartramail.outbox.models import WAITS_AGAIN, Lane
from kartramail.outbox.waiting_lanes import LaneFront, find_waiting_lanes
from kartramail.rules.streams import Stream

_SLOW = 0.01
"""Seconds: a look from the beginning that takes longer has met much that has left."""


@dataclass(frozen=True, slots=True)
class OpenLane:
    """A lane that may be claimed from.

    `limit` is what its account may send today, None: no end. Where it `is_full`, only what was
    tried before may leave. Nothing waits below `floor`; None on SQLite, which needs none.
    """

    id: int
    account_id: int
    stream: Stream
    weight: int
    limit: int | None
    is_full: bool
    floor: Place | None


def look(session: Session, at: datetime, *, has_limits: bool, floors: Floors) -> list[OpenLane]:
    """The lanes that have something due and may send it now.

    A row without a lane (0) is taken for transactional: it leaves rather than lies for ever. A
    limit that is reached stops first tries; one of 0 stops an account, second tries and all.
    """
    start, started = floors.start(), time.monotonic()
    found = find_waiting_lanes(session, start)
    seconds = time.monotonic() - started
    is_sqlite = session.connection().dialect.name == "sqlite"
    if not start and seconds > _SLOW and not is_sqlite:
        floors.learn(_newest_lanes(session))
    floors.note(
        {lane.id: Place(lane.due_at, lane.first_id) for lane in found},
        at,
        is_whole=not start,
        seconds=seconds,
    )
    due = [lane for lane in found if lane.due_at <= at and lane.may_leave]
    limits = _limits(session, due) if has_limits else {}
    reached = {lane_id for lane_id, (limit, count) in limits.items() if count >= limit}
    again = _due_again(session, start, at) if reached else set()
    again -= {lane_id for lane_id, (limit, _) in limits.items() if limit == 0}
    return [
        OpenLane(
            id=lane.id,
            account_id=lane.account_id or 0,
            stream=lane.stream or Stream.TRANSACTIONAL,
            weight=lane.weight or 1,
            limit=limits[lane.id][0] if lane.id in limits else None,
            is_full=lane.id in reached,
            floor=None if is_sqlite else floors.of(lane.id),
        )
        for lane in due
        if lane.id not in reached or lane.id in again
    ]


def _newest_lanes(session: Session) -> list[int]:
    """Where what has left lately is likely to lie, for a process that has not seen it leave: the
    order of a dict of floors, the newest last; and 0, of rows without a lane."""
    newest = select(Lane.id).order_by(col(Lane.id).desc()).limit(MOST_EMPTY - 1)
    return [0, *reversed(session.exec(newest).all())]


def _limits(session: Session, lanes: Iterable[LaneFront]) -> dict[int, tuple[int, int]]:
    """What may be sent today and what was begun to be, by lane, of those that are limited."""
    limited = [lane for lane in lanes if lane.source not in (None, PLATFORM)]
    limits: Any = load_limits(session, {lane.account_id or 0 for lane in limited})
    return {lane.id: limits[lane.account_id, lane.stream] for lane in limited}


def _due_again(session: Session, floors: Mapping[int, Place], at: datetime) -> set[int]:
    """The lanes in which something is due that was tried before: it costs no place in a day."""
    return {
        lane.id for lane in find_waiting_lanes(session, floors, WAITS_AGAIN) if lane.due_at <= at
    }


def first_due(session: Session) -> datetime | None:
    """Since when the oldest message waits that could leave now; None where none does."""
    found = find_waiting_lanes(session, {})
    return min((lane.due_at for lane in found if lane.may_leave), default=None)
