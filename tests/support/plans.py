"""How the database goes about what it is really asked: its plans, and what it read whole."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, event, text

from kartramail.db import Database
from kartramail.models import metadata

TABLES = frozenset(metadata.tables)

_HAS_A_PLAN = re.compile(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b")
_ALIAS = re.compile(r'\b(?:FROM|JOIN|UPDATE|INTO|,)\s+"?(\w+)"?\s+AS\s+(\w+)')


@dataclass(frozen=True)
class Plan:
    """A statement, what the database says of it, the tables it reads from end to end (also by an
    index of all their rows), and the indexes that it goes by."""

    statement: str
    shown: str
    read_whole: frozenset[str]
    indexes: frozenset[str]

    def __str__(self) -> str:
        return f"{sorted(self.read_whole)}\n{self.statement}\n{self.shown}\n"


@contextmanager
def plans_of(db: Database) -> Iterator[list[Plan]]:
    """The plan of each statement that is put to the database meanwhile, however it is put.

    Each is asked for just before, on the same connection: with its settings, and with the rows that
    its transaction has written.
    """
    found: list[Plan] = []

    def note(by: Any, _cursor: Any, statement: str, values: Any, _x: Any, many: bool) -> None:
        if _HAS_A_PLAN.match(statement):
            found.append(_plan(db, by.connection, statement, values[0] if many else values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with _without_short_cuts(db, found):
            yield found
    finally:
        event.remove(db.engine, "before_cursor_execute", note)


@contextmanager
def _without_short_cuts(db: Database, found: list[Plan]) -> Iterator[None]:
    """What goes to the driver directly is heard, too."""
    glance, execute_alone = db.glance, db.execute_alone

    def seen_glance(statement: Any, **values: object) -> Any:
        with db.engine.connect() as connection:
            connection.execute(statement, values)
        return glance(statement, **values)

    def seen_alone(statement: str, parameters: Any) -> int:
        one = parameters[0] if db.is_sqlite else parameters
        with db.engine.connect() as connection:
            found.append(_plan(db, connection.connection, statement, one))
        return execute_alone(statement, parameters)

    vars(db).update(glance=seen_glance, execute_alone=seen_alone)
    try:
        yield
    finally:
        del vars(db)["glance"], vars(db)["execute_alone"]


def _plan(db: Database, driver: Any, statement: str, values: Any) -> Plan:
    how = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN (FORMAT JSON) "
    asking = driver.cursor()
    asking.execute(how + statement, values)
    rows = asking.fetchall()
    asking.close()
    if db.is_sqlite:
        return _sqlite_plan(statement, [row[-1] for row in rows])
    return _postgresql_plan(statement, rows[0][0][0]["Plan"])


def _sqlite_plan(statement: str, lines: list[str]) -> Plan:
    aliases = {alias: table for table, alias in _ALIAS.findall(statement)}
    scanned = {found[1] for line in lines if (found := re.match(r"SCAN (\w+)", line))}
    indexes = {found[1] for line in lines if (found := re.search(r"INDEX (\w+)", line))}
    return Plan(
        statement,
        "\n".join(lines),
        frozenset(aliases.get(one, one) for one in scanned) & TABLES,
        frozenset(indexes),
    )


def _postgresql_plan(statement: str, top: dict[str, Any]) -> Plan:
    nodes = list(_nodes(top))
    by_index = {id(node): node.get("Index Name") for node in nodes}
    begun = {id(inner) for node in nodes for inner in _only_begun(node)}
    whole = set()
    for node in nodes:
        if "Relation Name" not in node or node["Node Type"] in {"ModifyTable", "Bitmap Heap Scan"}:
            continue
        if id(node) in begun:
            continue
        if "Index Cond" not in node and node["Node Type"] != "Tid Scan":
            whole.add(node["Relation Name"])
    for node in nodes:  # the table is named one node above
        parts = [part for part in _nodes(node) if part["Node Type"] == "Bitmap Index Scan"]
        if node["Node Type"] == "Bitmap Heap Scan" and any("Index Cond" not in p for p in parts):
            whole.add(node["Relation Name"])
    return Plan(
        statement,
        "\n".join(_line(node) for node in nodes),
        frozenset(whole) & TABLES,
        frozenset(name for name in by_index.values() if name),
    )


_FEW = 1_000
"""Rows: as many as each table that grows has at least where plans are looked at."""


def _only_begun(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a LIMIT stops after a few rows, as it reads them in the order of an index and leaves
    none out."""
    if node["Node Type"] != "Limit" or node["Plan Rows"] >= _FEW:
        return
    for inner in node["Plans"]:
        if inner["Node Type"] in {"Index Scan", "Index Only Scan"} and "Filter" not in inner:
            yield inner


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from _nodes(inner)


def _line(node: dict[str, Any]) -> str:
    shown = ("Node Type", "Relation Name", "Index Name", "Index Cond", "Filter", "Plan Rows")
    return "  ".join(str(node[name]) for name in shown if name in node)


# -- what was really read -------------------------------------------------------------------------

_A_SCAN = 1_000_000
"""Steps of SQLite's machine: it takes at least three for each row that it reads."""


@contextmanager
def nothing_is_read_whole(connection: Connection, small: frozenset[str]) -> Iterator[None]:
    """Also not for a foreign key, which no plan speaks of: by what the database counts itself.

    PostgreSQL counts the sequential scans of each table. SQLite counts its steps: here they are to
    be too few for a table of a million rows.
    """
    if connection.dialect.name == "sqlite":
        yield from _few_steps(connection)
        return
    before = _sequential_scans(connection)
    yield
    after = _sequential_scans(connection)
    read = {name for name in after if after[name] > before.get(name, 0)}
    assert read - small == set(), f"read whole: {sorted(read - small)}"


def _few_steps(connection: Connection) -> Iterator[None]:
    driver: Any = connection.connection.driver_connection
    steps = [0]

    def count() -> int:
        steps[0] += 1_000
        return 0

    driver.set_progress_handler(count, 1_000)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)
    assert steps[0] < _A_SCAN, "too many steps"


def _sequential_scans(connection: Connection) -> dict[str, int]:
    counted = text("SELECT relname, seq_scan FROM pg_stat_xact_user_tables")
    return {row.relname: row.seq_scan for row in connection.execute(counted)}
