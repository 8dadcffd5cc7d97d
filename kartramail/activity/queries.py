"""The messages of one account, found by index, with bounded work however many there are (R-LOG).

A filter that no index answers (a rare state, a type, a domain) looks at the newest `WINDOW` of
what an index does answer, and says how far it has looked. Every query names the account.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, select

from kartramail.activity.conditions import (
    Condition,
    indexed_conditions,
    is_readable,
    least_id,
    of_account,
    other_conditions,
    range_conditions,
)
from kartramail.activity.filters import Filters
from kartramail.outbox.by_index import by_index
from kartramail.outbox.models import Message, ResolvedSender

PAGE = 50
WINDOW = 20_000
"""Messages that are looked at for one page."""

MOST_BY_ADDRESS = 2_000
"""Messages to addresses of one beginning that are sorted; there are more only where it is short."""

_AT_ONCE = 500
_LAST_CHARACTER = "\U0010ffff"

_COLUMNS: tuple[Any, ...] = (
    Message.id,
    Message.state,
    Message.created_at,
    Message.source_kind,
    Message.type,
    Message.asset_id,
    Message.content_id,
    Message.to_addr,
    Message.resolved_id,
)


NEWEST_FIRST = (col(Message.account_id).desc(), col(Message.id).desc())


@dataclass(frozen=True, slots=True)
class Found:
    """A page of messages, the newest first.

    `older` is the `before` of the next page, None where there is none. `further` is that of the
    next look where the search stopped before the end, at the message of `looked_back_to`.
    """

    rows: Sequence[Row[Any]]
    older: int | None = None
    further: int | None = None
    looked_back_to: datetime | None = None


def find_messages(session: Session, account_id: int, wanted: Filters) -> Found:
    """A page of what is wanted. The platform's own mails are never among it (R-LOG)."""
    with by_index(session):
        return _find_messages(session, account_id, wanted)


def _find_messages(session: Session, account_id: int, wanted: Filters) -> Found:
    if wanted.message_id is not None:
        conditions = [Message.id == wanted.message_id, is_readable()]
        rows = _select(session, account_id, conditions, limit=1)
        if rows:
            return Found(rows)
    if wanted.prefix is not None:
        ids = _ids_by_address(session, account_id, wanted.prefix)
        if len(ids) <= MOST_BY_ADDRESS:
            return _paged(_pick(session, account_id, wanted, ids))
    return _newest(session, account_id, wanted)


def find_typed(
    session: Session, account_id: int, wanted: Filters
) -> tuple[list[int] | None, Filters]:
    """The messages that what was typed names, the newest first, and the filters that still count.

    None where nothing was typed, or an index of addresses cannot say it: then all are looked at.
    """
    with by_index(session):
        return _find_typed(session, account_id, wanted)


def _find_typed(
    session: Session, account_id: int, wanted: Filters
) -> tuple[list[int] | None, Filters]:
    if wanted.message_id is not None:
        conditions = [Message.id == wanted.message_id, is_readable()]
        if _select(session, account_id, conditions, limit=1):
            return [wanted.message_id], Filters()
    if wanted.prefix is not None:
        ids = _ids_by_address(session, account_id, wanted.prefix)
        if len(ids) <= MOST_BY_ADDRESS:
            return sorted(ids, reverse=True), wanted
    return None, wanted


def has_messages(session: Session, account_id: int) -> bool:
    """Whether the account has any message that it may read."""
    with by_index(session):
        return bool(_select(session, account_id, [is_readable()], limit=1))


def load_senders(
    session: Session, account_id: int, ids: Collection[int]
) -> dict[int, ResolvedSender]:
    """These answers of resolution, by number."""
    found = session.exec(
        select(ResolvedSender).where(
            ResolvedSender.account_id == account_id, col(ResolvedSender.id).in_(ids)
        )
    )
    return {sender.id: sender for sender in found}


def _newest(session: Session, account_id: int, wanted: Filters) -> Found:
    """From the newest backwards along an index, until the page is full or the window is over."""
    indexed = [*indexed_conditions(wanted), *range_conditions(wanted)]
    others = list(other_conditions(session, account_id, wanted))
    reach = _reach(session, account_id, indexed) if others else None
    if reach is not None:
        indexed.append(Message.id >= reach)
    rows = _select(session, account_id, [*indexed, *others, is_readable()], limit=PAGE + 1)
    found = _paged(rows)
    if found.older is not None or reach is None:
        return found
    return replace(found, further=reach, looked_back_to=_time_of(session, account_id, reach))


def _reach(session: Session, account_id: int, indexed: Iterable[Condition]) -> int | None:
    """The last id of the window, None where the window holds all there is."""
    ids = session.exec(
        select(Message.id)
        .where(of_account(session, account_id), *indexed)
        .order_by(*NEWEST_FIRST)
        .offset(WINDOW - 1)
        .limit(2)
    ).all()
    return ids[0] if len(ids) == 2 else None


def _time_of(session: Session, account_id: int, message_id: int) -> datetime:
    return session.exec(
        select(Message.created_at).where(Message.account_id == account_id, Message.id == message_id)
    ).one()


def _ids_by_address(session: Session, account_id: int, prefix: str) -> list[int]:
    """The messages to addresses that begin so, at most one more than can be sorted."""
    return list(
        session.exec(
            select(Message.id)
            .where(
                Message.account_id == account_id,
                col(Message.to_key) >= prefix,
                col(Message.to_key) < prefix + _LAST_CHARACTER,
            )
            .order_by(col(Message.to_key), col(Message.id))
            .limit(MOST_BY_ADDRESS + 1)
        )
    )


def _pick(session: Session, account_id: int, wanted: Filters, ids: Iterable[int]) -> list[Row[Any]]:
    """The newest of these messages that are wanted, one more than a page at most."""
    least = least_id(wanted.days) if wanted.days is not None else 0
    most = wanted.before if wanted.before is not None else 1 << 63
    ordered = sorted((number for number in ids if least <= number < most), reverse=True)
    conditions = [
        *other_conditions(session, account_id, wanted),
        *indexed_conditions(wanted),
        is_readable(),
    ]
    rows: list[Row[Any]] = []
    for start in range(0, len(ordered), _AT_ONCE):
        chunk = col(Message.id).in_(ordered[start : start + _AT_ONCE])
        rows += _select(session, account_id, [chunk, *conditions], limit=PAGE + 1 - len(rows))
        if len(rows) > PAGE:
            break
    return rows


def _select(
    session: Session, account_id: int, conditions: Iterable[Condition], *, limit: int
) -> Sequence[Row[Any]]:
    return (
        session.connection()
        .execute(
            select(*_COLUMNS)
            .where(of_account(session, account_id), *conditions)
            .order_by(*NEWEST_FIRST)
            .limit(limit)
        )
        .all()
    )


def _paged(rows: Sequence[Row[Any]]) -> Found:
    return Found(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None)
