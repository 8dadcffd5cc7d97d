"""Claims: which worker holds which rows. One of the few files that cross accounts.

Transactional mail goes first, and lanes take turns by their weight (R-FAIR). What a worker that
lost its rows still reports is not taken (`results.py` writes only `WHERE worker_id = me`).
"""

import time
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Date, Integer, bindparam, exists, text, tuple_
from sqlmodel import Session, col, select, update

from kartramail.clock import now
from kartramail.column_types import IdType, UtcDateTime
from kartramail.errors import KartraMailError
from kartramail.outbox.days import Days
from kartramail.outbox.floors import Floors
from kartramail.outbox.lane_looks import OpenLane, look
from kartramail.outbox.lanes import PLATFORM
from kartramail.outbox.models import (
    WAITS_AGAIN,
    Lane,
    LaneState,
    Message,
    MessageState,
    SourceKind,
    Worker,
)
from kartramail.outbox.releases import release
from kartramail.outbox.turns import Turns
from kartramail.rules.streams import Stream

_LOOK_EVERY = 0.25
_LOOK_SHARE = 20
"""A look may take a twentieth of the time: with very many lanes it is taken less often, …"""

_LONGEST_PAUSE = 1.0
"""… but a receipt in a lane that was empty waits for the next look: no longer than these seconds,
whatever that costs the rate."""

_MOST_STATEMENTS = 16
"""Turns in one claim: its transaction is to be short however many lanes there are."""


class WorkerGone(KartraMailError):
    """Others have declared this worker dead and taken its rows: it must register anew."""


class Claimed(NamedTuple):
    """What delivery needs to know of a row that it holds. A tuple, as one is made for each."""

    id: int
    account_id: int
    lane_id: int
    stream: Stream
    expires_at: datetime
    source_kind: SourceKind
    content_id: int | None
    template: str | None
    type: str | None
    asset_id: int | None
    sender_id: int | None
    to_addr: str
    to_domain: str
    variables: dict[str, Any] | None
    tries: int
    deaths: int


_COLUMNS = [getattr(Message, name) for name in Claimed._fields]

# Built once: claims are small and many, and building a statement costs more than running it.
_LOCK_WORKER = select(Worker.id).where(col(Worker.id) == bindparam("worker")).with_for_update()


# A pause may be younger than the look. Asked once a statement, by primary key: whoever has paused
# a lane sees nothing of it taken any more. A row without a lane (0) leaves.
_IS_HELD = exists().where(
    col(Lane.id) == bindparam("lane"),
    col(Lane.state) == LaneState.HELD,
    col(Lane.source) != PLATFORM,
)


def _claim_statement(*, again: bool, has_floor: bool) -> Any:
    """Take what is next in a lane: of what was tried before, or of all that waits."""
    waits: list[Any] = [col(Message.due_at).is_not(None), ~_IS_HELD]
    if again:
        waits.append(text(WAITS_AGAIN))
    if has_floor:
        floor = tuple_(
            bindparam("floor_at", type_=UtcDateTime), bindparam("floor_id", type_=IdType)
        )
        waits.append(tuple_(col(Message.due_at), col(Message.id)) >= floor)
    # A CTE and not a subquery: PostgreSQL may run a subquery with FOR UPDATE more than once in a
    # join, and take more than the limit.
    following = (
        select(Message.id)
        .where(Message.lane_id == bindparam("lane"), col(Message.due_at) <= bindparam("at"), *waits)
        .order_by(col(Message.due_at), col(Message.id))
        .limit(bindparam("most", type_=Integer))
        .with_for_update(skip_locked=True)
        .cte("next_in_lane")
    )
    return (
        update(Message)
        .where(col(Message.id).in_(select(following.c.id)))
        .values(
            worker_id=bindparam("worker"),
            due_at=None,
            state=MessageState.SENDING,
            counted_on=bindparam("day", type_=Date),
        )
        .returning(*_COLUMNS)
    )


_CLAIMS = {
    (again, has_floor): _claim_statement(again=again, has_floor=has_floor)
    for again in (False, True)
    for has_floor in (False, True)
}


class Claimer:
    """Takes due rows for one process, and remembers between claims whose turn it is."""

    def __init__(self, *, has_limits: bool) -> None:
        self._has_limits = has_limits
        self._floors = Floors()
        self._turns = {stream: Turns() for stream in Stream}
        self._look_at = 0.0  # on the monotonic clock

    def claim(self, session: Session, worker_id: int, limit: int) -> list[Claimed]:
        """Take up to `limit` due messages for this worker, the most urgent first.

        Raises WorkerGone when others have buried this worker. Its own row stays locked until the
        transaction ends, so that nobody buries it between: rows under the number of a worker that
        is gone would be held by nobody.
        """
        mine = session.connection().execute(_LOCK_WORKER, {"worker": worker_id})
        if mine.first() is None:
            raise WorkerGone("This worker was declared dead.")
        at = now()
        if time.monotonic() >= self._look_at:
            self._look(session, at)
        claimed: list[Claimed] = []
        days = Days(session, at.date(), limit)
        for _ in range(_MOST_STATEMENTS):
            turns = self._turns[Stream.TRANSACTIONAL] or self._turns[Stream.COMMERCIAL]
            room = limit - len(claimed)
            if not room or not turns:
                break
            if not days.may_send(turns.coming(room, _MOST_STATEMENTS)):
                break  # the next claim begins with it
            claimed += self._take_turn(session, worker_id, turns, room, days, at)
        days.close()
        if not any(self._turns.values()) and claimed:
            self._look_at = 0.0  # all is taken: look again with the next claim
        return _without_expired(session, worker_id, claimed, at)

    def _look(self, session: Session, at: datetime) -> None:
        started = time.monotonic()
        lanes = look(session, at, has_limits=self._has_limits, floors=self._floors)
        for stream, turns in self._turns.items():
            turns.renew(lane for lane in lanes if lane.stream is stream)
        ended = time.monotonic()
        self._look_at = ended + _pause_after(ended - started)

    def _take_turn(
        self,
        session: Session,
        worker_id: int,
        turns: Turns,
        room: int,
        days: Days,
        at: datetime,
    ) -> list[Claimed]:
        lane, share = turns.next_share(room)
        taken = _claim_lane(session, worker_id, lane, share, days, at)
        turns.end_turn(is_empty=len(taken) < share)  # it has no more, or may not
        return taken


def _pause_after(seconds: float) -> float:
    """How long the lanes stay as they were seen, after a look that took so long."""
    return max(_LOOK_EVERY, min(_LOOK_SHARE * seconds, _LONGEST_PAUSE))


def _claim_lane(
    session: Session, worker_id: int, lane: OpenLane, most: int, days: Days, at: datetime
) -> list[Claimed]:
    allowed = days.allowed(lane, most)
    taken = _take(session, worker_id, lane, allowed, at) if allowed else []
    if lane.limit is not None:
        days.began(lane, sum(message.tries + message.deaths == 0 for message in taken))
        if allowed < most and lane.limit:  # the day is full; what was counted before may go
            taken += _take(session, worker_id, lane, most - len(taken), at, again=True)
    taken.sort(key=lambda message: message.id)
    return taken


def _take(
    session: Session,
    worker_id: int,
    lane: OpenLane,
    most: int,
    at: datetime,
    *,
    again: bool = False,
) -> list[Claimed]:
    day = None if lane.limit is None else at.date()
    values = {"worker": worker_id, "lane": lane.id, "at": at, "most": most, "day": day}
    if lane.floor is not None:
        values |= {"floor_at": lane.floor.due_at, "floor_id": lane.floor.id}
    statement = _CLAIMS[again, lane.floor is not None]
    found = session.connection().execute(statement, values).all()  # one by one takes the double
    return [Claimed._make(row) for row in found]


def _without_expired(
    session: Session, worker_id: int, claimed: list[Claimed], at: datetime
) -> list[Claimed]:
    """What waited longer than it is of use ends here, and not on the wire."""
    expired = {message.id for message in claimed if message.expires_at <= at}
    if not expired:
        return claimed
    release(session, worker_id, sorted(expired))
    return [message for message in claimed if message.id not in expired]


def claim(session: Session, worker_id: int, limit: int) -> list[Claimed]:
    """One claim by itself, without limits and without memory of turns."""
    return Claimer(has_limits=False).claim(session, worker_id, limit)
