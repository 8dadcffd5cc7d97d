"""What waits in an account's lanes, and why: for its page, with bounded work (R-FAIR, R-LOG)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, func, select

from kartramail.clock import now
from kartramail.outbox.destinations import load_closed
from kartramail.outbox.lanes import PLATFORM
from kartramail.outbox.limits import load_limits
from kartramail.outbox.models import Attempt, Lane, LaneState, Message, Worker
from kartramail.outbox.workers import database_now
from kartramail.rules.replies import Stage
from kartramail.rules.streams import Stream

MOST_COUNTED = 10_000
_LOOKED_AT = 100
"""The first rows of a lane: why they wait is why the lane does."""

_RECENTLY = timedelta(minutes=10)
_BEFORE_A_MESSAGE = [stage for stage in Stage if not stage.is_about_a_message]


class WaitReason(StrEnum):
    """Why a lane's messages have not left."""

    HELD = "held"
    DAILY_LIMIT = "daily_limit"
    NOT_DUE = "not_due"
    NO_WORKER = "no_worker"
    SERVER = "server"
    DESTINATION = "destination"
    ON_ITS_WAY = "on_its_way"


@dataclass(frozen=True, slots=True)
class WaitingLane:
    """A lane in which something waits, or whatever comes will.

    `count` goes to `MOST_COUNTED`, beyond which `count_is_more`. `since` is when the oldest of it
    was due, and of a held lane when it was held. `until` is when it goes on by itself, None where
    nobody knows; `words` say more of the reason, empty where there is no more.
    """

    lane_id: int
    stream: Stream
    source: str
    count: int
    count_is_more: bool
    since: datetime | None
    reason: WaitReason
    until: datetime | None = None
    words: str = ""


_Why = tuple[WaitReason, datetime | None, str]


def waiting(
    session: Session, account_id: int, *, has_limits: bool, lease: timedelta
) -> list[WaitingLane]:
    """The account's lanes in which something waits, or that are held, transactional mail first.

    `has_limits`: whether accounts have daily limits (SENDING_LIMITS); `lease` as WORKER_LEASE.
    """
    lanes = session.exec(
        select(Lane)
        .where(Lane.account_id == account_id)
        .order_by(col(Lane.stream).desc(), col(Lane.id))
    ).all()
    found = []
    for lane in lanes:
        rows = _first_rows(session, lane)
        if not rows and not _is_held(lane):
            continue
        count = len(rows) if len(rows) < _LOOKED_AT else _count(session, lane)
        reason, until, words = _why(session, lane, rows, has_limits=has_limits, lease=lease)
        found.append(
            WaitingLane(
                lane_id=lane.id,
                stream=lane.stream,
                source=lane.source,
                count=min(count, MOST_COUNTED),
                count_is_more=count > MOST_COUNTED,
                since=lane.held_at if _is_held(lane) else rows[0].due_at,
                reason=reason,
                until=until,
                words=words,
            )
        )
    return found


def _is_held(lane: Lane) -> bool:
    return lane.state is LaneState.HELD and lane.source != PLATFORM


def _first_rows(session: Session, lane: Lane) -> Sequence[Any]:
    return (
        session.connection()
        .execute(
            select(
                *(col(Message.id), col(Message.due_at), col(Message.to_domain)),
                (col(Message.tries) + col(Message.deaths) == 0).label("is_new"),
            )
            .where(Message.lane_id == lane.id, col(Message.due_at).is_not(None))
            .order_by(col(Message.due_at), col(Message.id))
            .limit(_LOOKED_AT)
        )
        .all()
    )


def _count(session: Session, lane: Lane) -> int:
    some = (
        select(Message.id)
        .where(Message.lane_id == lane.id, col(Message.due_at).is_not(None))
        .limit(MOST_COUNTED + 1)
        .subquery()
    )
    return session.exec(select(func.count()).select_from(some)).one()


def _why(
    session: Session, lane: Lane, rows: Sequence[Any], *, has_limits: bool, lease: timedelta
) -> _Why:
    if _is_held(lane):
        return WaitReason.HELD, None, ""
    if not _is_a_worker_alive(session, lease):
        return WaitReason.NO_WORKER, None, ""
    if has_limits and lane.source != PLATFORM and (why := _limit_in_the_way(session, lane, rows)):
        return why
    return (
        _server_in_the_way(session, rows)
        or _domain_in_the_way(session, rows)
        or (
            (WaitReason.NOT_DUE, rows[0].due_at, "")
            if rows[0].due_at > now()
            else (WaitReason.ON_ITS_WAY, None, "")
        )
    )


def _is_a_worker_alive(session: Session, lease: timedelta) -> bool:
    beaten_since = database_now(session) - lease
    alive = select(Worker.id).where(col(Worker.heartbeat_at) >= beaten_since).limit(1)
    return session.exec(alive).first() is not None


def _limit_in_the_way(session: Session, lane: Lane, rows: Sequence[Any]) -> _Why | None:
    """What was tried before leaves also where the day is full."""
    limit, count = load_limits(session, [lane.account_id])[lane.account_id, lane.stream]
    if limit == 0:
        return WaitReason.DAILY_LIMIT, None, "None may leave until the limit is raised."
    if count < limit or not any(row.is_new for row in rows):
        return None
    midnight = datetime.combine(now().date() + timedelta(days=1), time(), now().tzinfo)
    return (
        WaitReason.DAILY_LIMIT,
        midnight,
        f"{limit:,} messages have left today, as many as may.",
    )


def _server_in_the_way(session: Session, rows: Sequence[Any]) -> _Why | None:
    """The last word about any of these was that no connection came about."""
    last = session.exec(
        select(Attempt)
        .where(
            col(Attempt.message_id).in_([row.id for row in rows]), Attempt.at > now() - _RECENTLY
        )
        .order_by(col(Attempt.at).desc())
        .limit(1)
    ).first()
    if last is None or last.stage not in _BEFORE_A_MESSAGE:
        return None
    return WaitReason.SERVER, rows[0].due_at, f"{last.server}: {last.reply}"


def _domain_in_the_way(session: Session, rows: Sequence[Any]) -> _Why | None:
    """Most of these are for one recipient domain that is slow, or asked for a pause."""
    closed = load_closed(session, now())
    ((domain, times),) = Counter(row.to_domain for row in rows).most_common(1)
    if domain not in closed or times * 2 < len(rows):
        return None
    return WaitReason.DESTINATION, max(closed[domain].until, rows[0].due_at), closed[domain].words
