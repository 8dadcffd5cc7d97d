"""Filters as conditions of a query: those that an index answers, and the others."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, any_, text
from sqlalchemy.dialects.postgresql import array
from sqlmodel import Session, col, func, select

from kartramail.activity.filters import TROUBLE, Filters
from kartramail.assets.models import Asset
from kartramail.clock import now
from kartramail.ids import first_id_at
from kartramail.outbox.models import IN_TROUBLE, Message, SourceKind

Condition = ColumnElement[bool] | Any


def of_account(session: Session, account_id: int) -> Condition:
    """The messages of one account, for what is ordered by account and id.

    As an array on PostgreSQL: with a plain = the order by account goes without saying there, and
    the planner may walk the primary key backwards, past all messages of all other accounts.
    """
    if session.connection().dialect.name == "postgresql":
        return col(Message.account_id) == any_(array([account_id]))
    return Message.account_id == account_id


def indexed_conditions(wanted: Filters) -> Iterator[Condition]:
    """What an index beside that of the account answers, in the words that SQLite asks for."""
    if wanted.asset_id is not None:
        yield Message.asset_id == wanted.asset_id
        yield text("asset_id IS NOT NULL")
    elif wanted.source_kind is SourceKind.TEST:
        yield text("source_kind = 'test'")
    elif wanted.states and set(wanted.states) <= set(TROUBLE):
        yield text(IN_TROUBLE)


def other_conditions(session: Session, account_id: int, wanted: Filters) -> Iterator[Condition]:
    """What no index answers."""
    if wanted.states:
        yield col(Message.state).in_(wanted.states)
    if wanted.source_kind is not None and wanted.source_kind is not SourceKind.TEST:
        yield Message.source_kind == wanted.source_kind
    if wanted.type is not None:
        yield Message.type == wanted.type
    if wanted.asset_kind is not None:
        yield col(Message.asset_id).in_(
            select(Asset.id).where(Asset.account_id == account_id, Asset.kind == wanted.asset_kind)
        )
    # Not as a range: the index by address would be tempting, and has them in another order.
    for column, start in ((Message.to_domain, wanted.domain), (Message.to_key, wanted.prefix)):
        if start:
            yield func.substr(column, 1, len(start)) == start


def range_conditions(wanted: Filters) -> Iterator[Condition]:
    """Between which ids: they are ordered by time."""
    if wanted.before is not None:
        yield Message.id < wanted.before
    if wanted.days is not None:
        yield Message.id >= least_id(wanted.days)


def least_id(days: int) -> int:
    """The least id of the last so many days."""
    return first_id_at(now() - timedelta(days=days))


def is_readable() -> Condition:
    """The platform's own mails (links to confirm or reset) are never shown (R-LOG)."""
    return Message.source_kind != SourceKind.PLATFORM
