"""Which lanes have something that waits: a loose scan of the index, a step a lane (R-FAIR).

However many messages wait in a lane, it is one step. One of the few files that cross accounts.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from kartramail.outbox.lanes import PLATFORM
from kartramail.outbox.limits import load_limits
from kartramail.outbox.models import Lane, LaneState, Message
from kartramail.rules.streams import Stream


@dataclass(frozen=True, slots=True)
class OpenLane:
    """A lane that may be claimed from. `limit` is what its account may send today, None: no end."""

    id: int
    account_id: int
    stream: Stream
    weight: int
    limit: int | None


def _waiting_lanes() -> Select[Any]:
    """Of each lane that has a row to wait for: what it is, and when the first is due."""
    waits, following, first = aliased(Message), aliased(Message), aliased(Message)
    lanes = (
        select(func.min(col(waits.lane_id)).label("lane_id"))
        .where(col(waits.due_at).is_not(None))
        .cte("waiting_lanes", recursive=True)
    )
    next_lane = (
        select(func.min(col(following.lane_id)))
        .where(col(following.due_at).is_not(None), col(following.lane_id) > lanes.c.lane_id)
        .scalar_subquery()
    )
    lanes = lanes.union_all(select(next_lane).where(lanes.c.lane_id.is_not(None)))
    due_at = (
        select(col(first.due_at))
        .where(col(first.due_at).is_not(None), col(first.lane_id) == lanes.c.lane_id)
        .order_by(col(first.due_at), col(first.id))
        .limit(1)
        .scalar_subquery()
    )
    return (
        select(
            lanes.c.lane_id,
            *(col(Lane.account_id), col(Lane.stream), col(Lane.weight), col(Lane.source)),
            due_at,
        )
        .select_from(lanes)
        .outerjoin(Lane, col(Lane.id) == lanes.c.lane_id)
        .where(
            lanes.c.lane_id.is_not(None),
            or_(
                col(Lane.id).is_(None),
                col(Lane.state) == LaneState.OPEN,
                col(Lane.source) == PLATFORM,
            ),
        )
    )


_LOOK = _waiting_lanes()


def look(session: Session, at: datetime, *, has_limits: bool) -> list[OpenLane]:
    """The lanes that have something due and may send it now.

    A row without a lane (0) is taken for transactional: it leaves rather than lies for ever.
    """
    found = [row for row in session.connection().execute(_LOOK) if row[5] <= at]
    limited = {row[1] for row in found if row[4] not in (None, PLATFORM)} if has_limits else set()
    limits = load_limits(session, limited)
    lanes = []
    for number, account_id, stream, weight, _source, _due_at in found:
        limit, count = limits.get((account_id, stream), (None, 0))
        if limit is None or count < limit:
            lanes.append(
                OpenLane(
                    number, account_id or 0, stream or Stream.TRANSACTIONAL, weight or 1, limit
                )
            )
    return lanes


def first_due(session: Session) -> datetime | None:
    """Since when the oldest message waits that could leave now; None where none does."""
    return min((row[5] for row in session.connection().execute(_LOOK)), default=None)
