"""What is put to the database: heard by tests that count statements, or ask for their plans."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, event

from kartramail.db import Database

Statement = tuple[str, Any]
"""A statement as the driver gets it, and its values: a list of them where it is run for many."""


@contextmanager
def heard(db: Database) -> Iterator[list[Statement]]:
    """The statements that SQLAlchemy runs meanwhile, BEGIN on SQLite among them."""
    statements: list[Statement] = []
    with before_each(db, lambda _, statement, values: statements.append((statement, values))):
        yield statements


@contextmanager
def before_each(db: Database, act: Callable[[Connection, str, Any], None]) -> Iterator[None]:
    """`act(connection, statement, values)` goes before each statement; what it raises stops it."""

    def listen(by: Connection, _cursor: Any, statement: str, values: Any, *_: Any) -> None:
        act(by, statement, values)

    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        yield
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
