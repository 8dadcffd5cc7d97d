"""Queries whose work is bounded by an index, whatever PostgreSQL's statistics say of the rest."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlmodel import Session


@contextmanager
def by_index(session: Session) -> Iterator[None]:
    """No table is read from end to end meanwhile where any index will do.

    PostgreSQL compares two guesses. A few thousand rows by their index cost it, by its reckoning,
    about as much as a hundred thousand in a row; an index that has grown by what was deleted, or
    statistics of another hour, are enough to tip that. But what the index costs stays as it is, and
    the table grows with the mail of everybody.
    """
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        yield
        return
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    yield
    connection.execute(text("SET LOCAL enable_seqscan TO DEFAULT"))
