"""Which lanes have something that waits: a loose scan of the index, a step a lane (R-FAIR).

However many messages wait in a lane, it is one step. One of the few files that cross accounts.
"""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import column, text
from sqlmodel import Session

from kartramail.db import StateType, UtcDateTime
from kartramail.outbox.floors import BEGINNING, Floors, Place
from kartramail.outbox.lanes import PLATFORM
from kartramail.outbox.limits import load_limits
from kartramail.outbox.models import WAITS_AGAIN, LaneState
from kartramail.rules.streams import Stream


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


class _Lane(NamedTuple):
    """A lane that has a row to wait for, and the first of them. Of a lane 0 the rest is unknown."""

    id: int
    account_id: int | None
    stream: Stream | None
    weight: int | None
    source: str | None
    state: LaneState | None
    due_at: datetime
    first_id: int

    @property
    def may_leave(self) -> bool:
        return self.state is not LaneState.HELD or self.source == PLATFORM


_COLUMNS = """
    waiting_lanes.lane_id, lane.account_id, lane.stream, lane.weight, lane.source, lane.state
"""

_ON_SQLITE = f"""
    WITH RECURSIVE waiting_lanes (lane_id) AS (
        SELECT min(lane_id) FROM message WHERE {{waits}}
        UNION ALL
        SELECT (
            SELECT min(m.lane_id) FROM message AS m
            WHERE {{waits}} AND m.lane_id > waiting_lanes.lane_id
        ) FROM waiting_lanes WHERE waiting_lanes.lane_id IS NOT NULL
    )
    SELECT {_COLUMNS}, (
        SELECT m.due_at FROM message AS m
        WHERE {{waits}} AND m.lane_id = waiting_lanes.lane_id ORDER BY m.due_at, m.id LIMIT 1
    ) AS due_at, 0 AS id
    FROM waiting_lanes LEFT JOIN lane ON lane.id = waiting_lanes.lane_id
    WHERE waiting_lanes.lane_id IS NOT NULL
"""

# The lanes that are known are looked up from their floors, and those between them step by step: no
# step meets what has left a known lane and is still visible to somebody.
_ON_POSTGRESQL = f"""
    WITH RECURSIVE waiting_lanes (lane_id, before, due_at, id) AS (
        SELECT * FROM unnest(
            CAST(:lanes AS bigint[]), CAST(:befores AS bigint[]),
            CAST(:dues AS timestamptz[]), CAST(:ids AS bigint[])
        )
        UNION ALL
        SELECT (
            SELECT min(m.lane_id) FROM message AS m
            WHERE {{waits}} AND m.lane_id > waiting_lanes.lane_id AND m.lane_id < before
        ), before, :beginning, 0 FROM waiting_lanes WHERE waiting_lanes.lane_id IS NOT NULL
    )
    SELECT {_COLUMNS}, first.due_at, first.id
    FROM waiting_lanes CROSS JOIN LATERAL (
        SELECT m.due_at, m.id FROM message AS m
        WHERE {{waits}} AND m.lane_id = waiting_lanes.lane_id
            AND (m.due_at, m.id) >= (waiting_lanes.due_at, waiting_lanes.id)
        ORDER BY m.due_at, m.id LIMIT 1
    ) AS first
    LEFT JOIN lane ON lane.id = waiting_lanes.lane_id
"""
_BEFORE_ALL, _BEHIND_ALL = -1, 2**63 - 1


def _statement(words: str, waits: str) -> Any:
    return text(words.format(waits=waits)).columns(
        *(column(name) for name in ("lane_id", "account_id")),
        *(column("stream", StateType(Stream)), column("weight"), column("source")),
        *(column("state", StateType(LaneState)), column("due_at", UtcDateTime), column("id")),
    )


_WAITS = "due_at IS NOT NULL"
_LOOKS = {
    (words, waits): _statement(words, waits)
    for words in (_ON_SQLITE, _ON_POSTGRESQL)
    for waits in (_WAITS, WAITS_AGAIN)
}


def _waiting_lanes(
    session: Session, floors: Mapping[int, Place], waits: str = _WAITS
) -> list[_Lane]:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return [_Lane._make(row) for row in connection.execute(_LOOKS[_ON_SQLITE, waits])]
    known = sorted(floors.items())
    lanes = [_BEFORE_ALL, *(lane_id for lane_id, _ in known)]
    values = {
        "lanes": lanes,
        "befores": [*lanes[1:], _BEHIND_ALL],
        "dues": [BEGINNING.due_at, *(place.due_at for _, place in known)],
        "ids": [BEGINNING.id, *(place.id for _, place in known)],
        "beginning": BEGINNING.due_at,
    }
    return [_Lane._make(row) for row in connection.execute(_LOOKS[_ON_POSTGRESQL, waits], values)]


def look(session: Session, at: datetime, *, has_limits: bool, floors: Floors) -> list[OpenLane]:
    """The lanes that have something due and may send it now.

    A row without a lane (0) is taken for transactional: it leaves rather than lies for ever.
    """
    start, started = floors.start(), time.monotonic()
    found = _waiting_lanes(session, start)
    floors.note(
        {lane.id: Place(lane.due_at, lane.first_id) for lane in found},
        at,
        is_whole=not start,
        seconds=time.monotonic() - started,
    )
    due = [lane for lane in found if lane.due_at <= at and lane.may_leave]
    limits = _limits(session, due) if has_limits else {}
    reached = {lane_id for lane_id, (limit, count) in limits.items() if count >= limit}
    again = _due_again(session, start, at) if reached else set()
    is_sqlite = session.connection().dialect.name == "sqlite"
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


def _limits(session: Session, lanes: Iterable[_Lane]) -> dict[int, tuple[int, int]]:
    """What may be sent today and what was begun to be, by lane, of those that are limited."""
    limited = [lane for lane in lanes if lane.source not in (None, PLATFORM)]
    limits: Any = load_limits(session, {lane.account_id or 0 for lane in limited})
    return {lane.id: limits[lane.account_id, lane.stream] for lane in limited}


def _due_again(session: Session, floors: Mapping[int, Place], at: datetime) -> set[int]:
    """The lanes in which something is due that was tried before: it costs no place in a day."""
    return {lane.id for lane in _waiting_lanes(session, floors, WAITS_AGAIN) if lane.due_at <= at}


def first_due(session: Session) -> datetime | None:
    """Since when the oldest message waits that could leave now; None where none does."""
    found = _waiting_lanes(session, {})
    return min((lane.due_at for lane in found if lane.may_leave), default=None)
