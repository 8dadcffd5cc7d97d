"""The lanes in which something waits: a loose scan of the index, a step a lane (R-FAIR).

However many messages wait in a lane, it is one step. One of the few files that cross accounts.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import column, text
from sqlmodel import Session

from kartramail.column_types import StateType, UtcDateTime
from kartramail.outbox.floors import BEGINNING, Place
from kartramail.outbox.lanes import PLATFORM
from kartramail.outbox.models import WAITS_AGAIN, LaneState
from kartramail.rules.streams import Stream


class LaneFront(NamedTuple):
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
        """Whether nobody holds it back."""
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
# step meets what has left a known lane and is still visible to somebody. The planner can only guess
# in how many lanes something waits: it is kept from reading all that there are.
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
    LEFT JOIN LATERAL (
        SELECT * FROM lane WHERE lane.id = waiting_lanes.lane_id OFFSET 0
    ) AS lane ON true
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


def find_waiting_lanes(
    session: Session, floors: Mapping[int, Place], waits: str = _WAITS
) -> list[LaneFront]:
    """Each lane in which something waits, held or open; on PostgreSQL by what lies above floors.

    `waits` says what counts as waiting: one of the conditions that an index is made for.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        return [LaneFront._make(row) for row in connection.execute(_LOOKS[_ON_SQLITE, waits])]
    known = sorted(floors.items())
    lanes = [_BEFORE_ALL, *(lane_id for lane_id, _ in known)]
    values = {
        "lanes": lanes,
        "befores": [*lanes[1:], _BEHIND_ALL],
        "dues": [BEGINNING.due_at, *(place.due_at for _, place in known)],
        "ids": [BEGINNING.id, *(place.id for _, place in known)],
        "beginning": BEGINNING.due_at,
    }
    return [
        LaneFront._make(row) for row in connection.execute(_LOOKS[_ON_POSTGRESQL, waits], values)
    ]
