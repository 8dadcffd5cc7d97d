"""Which lanes have something that may leave now (R-FAIR): one of the files that cross accounts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from time import monotonic
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from kartramail.clock import now
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
    start, started = floors.start(), monotonic()
    found = find_waiting_lanes(session, start)
    seconds = monotonic() - started
    is_sqlite = session.connection().dialect.name == "sqlite"
    if not start and seconds > _SLOW and not is_sqlite:
        floors.learn(_newest_lanes(session))
    floors.note(
        {lane.id: Place(lane.due_at, lane.first_id) for lane in found},
        at,
        is_whole=not start,
        seconds=seconds,
    )
    return [
        OpenLane(
            id=lane.id,
            account_id=lane.account_id or 0,
            stream=lane.stream or Stream.TRANSACTIONAL,
            weight=lane.weight or 1,
            limit=limit,
            is_full=is_full,
            floor=None if is_sqlite else floors.of(lane.id),
        )
        for lane, limit, is_full in _find_leaving(session, found, start, at, has_limits=has_limits)
    ]


class _Leaving(NamedTuple):
    """A lane that has something due and may send it; the rest as of `OpenLane`."""

    lane: LaneFront
    limit: int | None
    is_full: bool


def _find_leaving(
    session: Session,
    found: Iterable[LaneFront],
    floors: Mapping[int, Place],
    at: datetime,
    *,
    has_limits: bool,
) -> list[_Leaving]:
    due = [lane for lane in found if lane.due_at <= at and lane.may_leave]
    limits = _limits(session, due, at.date()) if has_limits else {}
    reached = {lane_id for lane_id, (limit, count) in limits.items() if count >= limit}
    again = _due_again(session, floors, at).keys() if reached else set()
    again -= {lane_id for lane_id, (limit, _) in limits.items() if limit == 0}
    return [
        _Leaving(lane, limits[lane.id][0] if lane.id in limits else None, lane.id in reached)
        for lane in due
        if lane.id not in reached or lane.id in again
    ]


def _newest_lanes(session: Session) -> list[int]:
    """Where what has left lately is likely to lie, for a process that has not seen it leave: the
    order of a dict of floors, the newest last; and 0, of rows without a lane."""
    newest = select(Lane.id).order_by(col(Lane.id).desc()).limit(MOST_EMPTY - 1)
    return [0, *reversed(session.exec(newest).all())]


def _limits(session: Session, lanes: Iterable[LaneFront], day: date) -> dict[int, tuple[int, int]]:
    """What may be sent on that day and what was begun to be, by lane, of those that are limited."""
    limited = [lane for lane in lanes if lane.source not in (None, PLATFORM)]
    limits: Any = load_limits(session, {lane.account_id or 0 for lane in limited}, day)
    return {lane.id: limits[lane.account_id, lane.stream] for lane in limited}


def _due_again(session: Session, floors: Mapping[int, Place], at: datetime) -> dict[int, datetime]:
    """The lanes in which something is due that was tried before, and since when: it costs no place
    in a day."""
    found = find_waiting_lanes(session, floors, WAITS_AGAIN)
    return {lane.id: lane.due_at for lane in found if lane.due_at <= at}


def waiting_since(
    session: Session,
    found: Iterable[LaneFront],
    floors: Mapping[int, Place],
    at: datetime,
    *,
    has_limits: bool,
) -> datetime | None:
    """Since when the oldest message is due that could leave; None where none could.

    `found` are the lanes in which something waits, by these `floors`. What the limit of a day kept
    back could not leave before the next one began.
    """
    leaving = _find_leaving(session, found, floors, at, has_limits=has_limits)
    since = {one.lane.id: one.lane.due_at for one in leaving}
    midnight = datetime.combine(at.date(), time(), at.tzinfo)
    older = [one.lane for one in leaving if one.limit is not None and one.lane.due_at < midnight]
    yesterday = _limits(session, older, at.date() - timedelta(days=1))
    kept_back = {lane_id for lane_id, (limit, count) in yesterday.items() if count >= limit}
    full = {one.lane.id for one in leaving if one.is_full}
    again = _due_again(session, floors, at) if kept_back | full else {}
    since |= {lane_id: min(again.get(lane_id, midnight), midnight) for lane_id in kept_back}
    since |= {lane_id: again[lane_id] for lane_id in full if lane_id in again}
    return min(since.values(), default=None)


def first_due(session: Session, *, has_limits: bool) -> datetime | None:
    """Since when the oldest message is due that could leave now; None where none could."""
    return waiting_since(session, find_waiting_lanes(session, {}), {}, now(), has_limits=has_limits)
