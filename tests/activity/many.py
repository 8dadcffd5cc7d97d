"""Very many messages at once, made by the database itself, and what a query does among them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, text
from sqlmodel import Session

from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import first_id_at
from tests.support.statements import before_each

Planned = tuple[str, list[str]]
"""A statement, and a line for each table of its plan."""

_INSERT = text("""
WITH RECURSIVE counted(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM counted WHERE i < :count)
INSERT INTO message (id, account_id, stream, state, created_at, due_at, expires_at, tries, attempts,
    deaths, source_kind, type, asset_id, to_addr, to_key, to_domain)
SELECT :first + CAST(i AS BIGINT) * 4096, :account_id, 'transactional',
    CASE WHEN i = 1 THEN 'failed' WHEN i % 100 = 0 THEN 'bounced' ELSE 'sent' END,
    CAST(:at AS TIMESTAMP), NULL, CAST(:at AS TIMESTAMP), 1, 1, 0, 'api',
    CASE WHEN i = 2 THEN 'calendar.booked' ELSE NULL END,
    CASE WHEN i % 1000 = 0 THEN CAST(:asset_id AS BIGINT) ELSE NULL END,
    'r' || i || '@example.net', 'r' || i || '@example.net',
    CASE WHEN i = 3 THEN 'rare.example' ELSE 'example.net' END
FROM counted
""")


def add_many(
    session: Session, account_id: int, count: int, asset_id: int = 0, *, offset: int = 0
) -> None:
    """So many messages to `r<i>@example.net`, the oldest `r1`. Every hundredth bounced; the oldest
    three are the only ones that failed, have a type, and go to another domain."""
    at = now().replace(tzinfo=None)
    first = first_id_at(now()) - (count + 1) * 4096 + offset
    if session.connection().dialect.name == "sqlite":
        statement = text(_INSERT.text.replace("CAST(:at AS TIMESTAMP)", ":at"))
    else:
        statement = _INSERT
    session.connection().execute(
        statement,
        {
            "account_id": account_id,
            "count": count,
            "first": first,
            "asset_id": asset_id,
            "at": str(at),
        },
    )


@contextmanager
def planned(db: Database) -> Iterator[list[Planned]]:
    """The statements about messages that are run meanwhile, and how the database goes about each.

    Asked on the same connection, just before: with its settings.
    """
    found: list[Planned] = []

    def ask(by: Connection, statement: str, values: Any) -> None:
        if "FROM message" in statement:
            asking = by.connection.cursor()
            asking.execute(f"{_HOW[db.is_sqlite]} {statement}", values)
            found.append((statement, _lines(db, asking.fetchall())))
            asking.close()

    with before_each(db, ask):
        yield found


_HOW = {True: "EXPLAIN QUERY PLAN", False: "EXPLAIN (ANALYZE, FORMAT JSON)"}


def _lines(db: Database, rows: Sequence[Any]) -> list[str]:
    if db.is_sqlite:
        return [row[-1] for row in rows]
    return [_line(node) for node in _nodes(rows[0][0][0]["Plan"]) if "Relation Name" in node]


def rows_read(line: str) -> int:
    """How many rows of the table a line of PostgreSQL's read."""
    return int(line.rpartition(" ")[2])


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _line(node: dict[str, Any]) -> str:
    removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    read = (node["Actual Rows"] + removed) * node["Actual Loops"]
    return f"{node['Node Type']} {node['Relation Name']} {node.get('Index Name', '')} {int(read)}"
