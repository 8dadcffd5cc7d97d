"""The messages of an export, chunk after chunk by id, each read in a moment of its own.

Memory and transactions stay small however many messages there are: a chunk looks at `CHUNK`
messages at most along an index, whatever the filters leave of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, select

from kartramail.activity.conditions import (
    Condition,
    indexed_conditions,
    is_readable,
    of_account,
    other_conditions,
    range_conditions,
)
from kartramail.activity.filters import Filters
from kartramail.activity.queries import NEWEST_FIRST, find_typed, load_senders
from kartramail.activity.subjects import load_subjects
from kartramail.db import Database
from kartramail.outbox.by_index import by_index
from kartramail.outbox.models import Message, ResolvedSender

CHUNK = 1_000
MOST_LOOKED_AT = 2_000_000
"""Messages that one export looks at: a rare thing among more of them is not looked for."""

_COLUMNS: tuple[Any, ...] = (
    Message.id,
    Message.created_at,
    Message.sent_at,
    Message.state,
    Message.source_kind,
    Message.type,
    Message.content_id,
    Message.to_addr,
    Message.resolved_id,
    Message.attempts,
    Message.reply,
    Message.server,
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Messages with their subjects and senders, the newest first, by the number of each.

    `is_cut`: so many were looked at that the search ended here.
    """

    rows: Sequence[Row[Any]] = ()
    subjects: Mapping[int, str] = field(default_factory=dict)
    senders: Mapping[int, ResolvedSender] = field(default_factory=dict)
    is_cut: bool = False


def read_chunks(db: Database, account_id: int, wanted: Filters) -> Iterator[Chunk]:
    """All that is wanted, from the newest backwards. Ends early where too many were looked at."""
    with db.reading() as session:
        typed, wanted = find_typed(session, account_id, wanted)
    if typed is not None:
        for start in range(0, len(typed), CHUNK):
            among = col(Message.id).in_(typed[start : start + CHUNK])
            with db.reading() as session, by_index(session):
                yield _chunk(session, account_id, wanted, [among, *_indexed(wanted)])
        return
    before: int | None = None
    for _ in range(MOST_LOOKED_AT // CHUNK):
        with db.reading() as session, by_index(session):
            chunk, before = _next(session, account_id, wanted, before)
        yield chunk
        if before is None:
            return
    yield Chunk(is_cut=True)


def _next(
    session: Session, account_id: int, wanted: Filters, before: int | None
) -> tuple[Chunk, int | None]:
    """What is wanted of the next messages below an id, and the id to go on below."""
    indexed = _indexed(wanted)
    if before is not None:
        indexed.append(Message.id < before)
    least = _least(session, account_id, indexed)
    if least is not None:
        indexed.append(Message.id >= least)
    return _chunk(session, account_id, wanted, indexed), least


def _indexed(wanted: Filters) -> list[Condition]:
    return [*indexed_conditions(wanted), *range_conditions(wanted)]


def _least(session: Session, account_id: int, indexed: list[Condition]) -> int | None:
    """The id that the chunk ends at, None where it is the last one."""
    return session.exec(
        select(Message.id)
        .where(of_account(session, account_id), *indexed)
        .order_by(*NEWEST_FIRST)
        .offset(CHUNK - 1)
        .limit(1)
    ).first()


def _chunk(session: Session, account_id: int, wanted: Filters, within: list[Condition]) -> Chunk:
    """What is wanted within a part that is no larger than a chunk."""
    others = other_conditions(session, account_id, wanted)
    rows = (
        session.connection()
        .execute(
            select(*_COLUMNS)
            .where(of_account(session, account_id), *within, *others, is_readable())
            .order_by(*NEWEST_FIRST)
        )
        .all()
    )
    senders = load_senders(session, account_id, {row.resolved_id for row in rows} - {None})
    return Chunk(rows, load_subjects(session, account_id, rows), senders)
