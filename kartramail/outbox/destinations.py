"""Recipient domains that mail waits for, as the processes of an installation tell each other.

Crosses accounts by its nature: a domain is slow for everybody.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, delete, select

from kartramail.clock import now
from kartramail.column_types import UtcDateTime

_ROWS_A_STATEMENT = 500


class Closed(NamedTuple):
    """Until when mail for a domain waits: all of it, or with `concurrency` above 0 what is more
    than so many at a time. `words` are one sentence for people.
    """

    until: datetime
    concurrency: int
    words: str


class Destination(SQLModel, table=True):
    """A recipient domain that is closed (`concurrency` 0) or slow, until `closed_until`."""

    domain: str = Field(primary_key=True, max_length=255)
    closed_until: datetime = Field(sa_type=UtcDateTime)
    concurrency: int
    words: str = Field(sa_type=Text)
    changed_at: datetime = Field(sa_type=UtcDateTime)


def note_destinations(session: Session, found: Mapping[str, Closed]) -> None:
    """Write what this process knows; the longer pause of two processes holds. Drops what is over.

    In the order of the domains, so that two processes do not wait for each other in a circle.
    """
    at = now()
    rows: list[dict[str, Any]] = [
        {
            "domain": domain[:255],
            "closed_until": closed.until,
            "concurrency": closed.concurrency,
            "words": closed.words,
            "changed_at": at,
        }
        for domain, closed in sorted(found.items())
        if closed.until > at
    ]
    for start in range(0, len(rows), _ROWS_A_STATEMENT):
        _upsert(session, rows[start : start + _ROWS_A_STATEMENT])
    _forget_over(session, at)


def _upsert(session: Session, rows: list[dict[str, Any]]) -> None:
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    statement = dialect.insert(Destination).values(rows)
    new = statement.excluded
    session.connection().execute(
        statement.on_conflict_do_update(
            index_elements=[col(Destination.domain)],
            set_={
                name: new[name] for name in ("closed_until", "concurrency", "words", "changed_at")
            },
            # What says nothing new is not written with every beat.
            where=(col(Destination.closed_until) < new.closed_until)
            | (col(Destination.concurrency) != new.concurrency),
        )
    )


def _forget_over(session: Session, at: datetime) -> None:
    over = select(Destination.domain).where(col(Destination.closed_until) <= at)
    if session.connection().dialect.name != "sqlite":
        over = over.with_for_update(skip_locked=True)
    session.connection().execute(delete(Destination).where(col(Destination.domain).in_(over)))


def load_closed(session: Session, at: datetime) -> dict[str, Closed]:
    """What waits for a domain at that time, by all processes."""
    rows = session.connection().execute(
        select(
            Destination.domain,
            Destination.closed_until,
            Destination.concurrency,
            Destination.words,
        ).where(col(Destination.closed_until) > at)
    )
    return {row.domain: Closed(row.closed_until, row.concurrency, row.words) for row in rows}
