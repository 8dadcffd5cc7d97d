"""Messages that ended long ago leave the hot table, without their addresses and words (R-LOG).

Found by the primary key, as ids are ordered by time; moved in batches of one short transaction
each. Crosses accounts by its nature.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Delete, ForeignKey, Table, case, exists, insert
from sqlmodel import Session, SQLModel, and_, col, delete, or_, select

from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import first_id_at
from kartramail.outbox.models import Attempt, Content, Event, Message, MessageState
from kartramail.outbox.old_messages import OldMessage
from kartramail.rules.backoff import KEPT_FOR

ENDED = (
    MessageState.SENT,
    MessageState.BOUNCED,
    MessageState.FAILED,
    MessageState.SUPPRESSED,
    MessageState.CANCELLED,
)

_FIRST_BATCH, _LEAST_BATCH, _LARGEST_BATCH = 100, 10, 1_000
_BATCH_SECONDS = 0.04
"""What a batch should take at most: on SQLite nobody else writes meanwhile."""
_REST = 3

_WAITS = col(Message.due_at).is_not(None)
_KEPT = tuple(OldMessage.__table__.columns.keys())  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Moved:
    """What a batch or a round did. `last_id` is the last message looked at, None at the end."""

    messages: int
    contents: int
    last_id: int | None


def move_old_messages(
    db: Database,
    days: int,
    seconds: float,
    pause: Callable[[float], object] = time.sleep,
) -> Moved:
    """Move what is older than `days`, for about so many seconds; goes on at the next call.

    A batch grows and shrinks so that it holds the database for some 40 ms, and between two the
    database has three times as long for others.
    """
    horizon = now() - timedelta(days=days)
    end = time.monotonic() + seconds
    after, size, messages, contents = 0, _FIRST_BATCH, 0, 0
    while True:
        began = time.monotonic()
        with db.transaction() as session:
            moved = move_batch(session, horizon, after, size)
        took = time.monotonic() - began
        messages += moved.messages
        contents += moved.contents
        if moved.last_id is None or time.monotonic() >= end:
            return Moved(messages, contents, moved.last_id)
        after = moved.last_id
        size = _fitting(size, took)
        pause(max(_REST * took, 0.01))


def move_batch(session: Session, horizon: datetime, after: int, limit: int) -> Moved:
    """The next messages behind `after` that ended and are older than `horizon`: all or nothing."""
    rows = session.connection().execute(find_old(horizon, after, limit)).all()
    ids = [row.id for row in rows]
    if not ids:
        return Moved(0, 0, None)
    _move(session, ids)
    contents = _drop_unused(session, {row.content_id for row in rows} - {None})
    return Moved(len(ids), contents, ids[-1] if len(ids) == limit else None)


def find_old(horizon: datetime, after: int, limit: int) -> Any:
    """What may move, in the order of the primary key; what somebody else is at is left out.

    Age goes by the id. What was to leave later than it came is as old as its leaving. What still
    waits though its time was over before `horizon` lies where nobody claims it, in a lane that is
    held for instance: it would end with the next claim, and its address may not stay for that.
    """
    has_ended = and_(
        col(Message.state).in_(ENDED),
        col(Message.due_at).is_(None),
        or_(
            col(Message.sent_at) < horizon,
            *(
                and_(
                    col(Message.sent_at).is_(None),
                    Message.stream == stream,
                    col(Message.expires_at) < horizon + kept_for,
                )
                for stream, kept_for in KEPT_FOR.items()
            ),
        ),
    )
    return (
        select(Message.id, Message.content_id)
        .where(
            col(Message.id) > after,
            col(Message.id) < first_id_at(horizon),
            col(Message.worker_id).is_(None),
            or_(has_ended, and_(_WAITS, col(Message.expires_at) < horizon)),
        )
        .order_by(col(Message.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def _move(session: Session, ids: Sequence[int]) -> None:
    columns = {name: getattr(Message, name) for name in _KEPT}
    columns["state"] = case((_WAITS, MessageState.FAILED.value), else_=col(Message.state))
    kept = select(*columns.values()).where(col(Message.id).in_(ids))
    run = session.connection().execute
    run(insert(OldMessage).from_select(list(_KEPT), kept))
    run(delete(Attempt).where(col(Attempt.message_id).in_(ids)))
    run(delete(Event).where(col(Event.message_id).in_(ids)))
    run(delete(Message).where(col(Message.id).in_(ids)))


def _drop_unused(session: Session, content_ids: Collection[int]) -> int:
    """Delete these contents where nothing refers to them any more; returns how many.

    First locked, then looked at in a statement of its own, which sees what was committed before
    the lock was had: whoever is about to refer to one holds a lock on it (`contents.store_content`)
    and is passed over. It goes with the next message that said the same.
    """
    if not content_ids:
        return 0
    locked = session.connection().scalars(
        select(Content.id)
        .where(col(Content.id).in_(sorted(content_ids)))
        .order_by(col(Content.id))
        .with_for_update(skip_locked=True)
    )
    result = session.connection().execute(_delete_unused(list(locked)))
    return int(result.rowcount)


def _delete_unused(ids: Sequence[int]) -> Delete:
    return delete(Content).where(
        col(Content.id).in_(ids), *(~exists().where(one) for one in _references_to_content())
    )


def _references_to_content() -> list[Any]:
    """How each table that refers to contents finds those of one, whatever tables there are."""
    content: Table = Content.__table__  # type: ignore[attr-defined]
    referring: list[list[ForeignKey]] = [
        constraint.elements
        for table in SQLModel.metadata.tables.values()
        for constraint in table.foreign_key_constraints
    ]
    return [
        and_(*(one.parent == content.c[one.target_fullname.split(".")[1]] for one in elements))
        for elements in referring
        if elements[0].target_fullname.startswith(f"{content.name}.")
    ]


def _fitting(size: int, took: float) -> int:
    if took > _BATCH_SECONDS:
        return max(size // 2, _LEAST_BATCH)
    if took < _BATCH_SECONDS / 2:
        return min(size * 3 // 2, _LARGEST_BATCH)
    return size
