"""The database: one engine, `reading()` and `transaction()`.

Doors open a transaction, services work inside it and never commit. No transaction stays open
across DNS or SMTP.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Select, create_engine, event
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import Session

from kartramail.column_types import read_json


class Database:
    """One database of one installation. Opens nothing until it is asked.

    `by_index`: for whoever asks the same few things all the time, and only for what an index has
    in the order in which it is wanted. PostgreSQL keeps their plans, and knows no other way.
    """

    def __init__(self, url: str, *, by_index: bool = False) -> None:
        self.url = url
        self.is_sqlite = url.startswith("sqlite")
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgresql_engine(url)
        self._reading = self.engine
        self._keeps_plans = by_index and not self.is_sqlite
        if self._keeps_plans:
            event.listen(self.engine, "connect", _go_by_index)
            self._reading = self.engine.execution_options(postgresql_readonly=True)
        self._writing = self.engine.execution_options(begins_immediate=True)
        self._glances: dict[Select[Any], SQLCompiler] = {}

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the database; whatever it changes is thrown away."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session
            if self._keeps_plans:  # psycopg forgets them with a rollback
                session.expunge_all()
                session.commit()

    def glance(self, statement: Select[Any], **values: object) -> tuple[Any, ...] | None:
        """The first row of one SELECT with these values bound, as the driver gives it.

        For what every request asks: one SELECT sees one moment without a transaction around it, and
        compiled once and put to the driver directly it costs a fifth of a session. `statement` must
        be one that lives as long as the process; booleans and states come back as they are stored.
        """
        compiled = self._glances.get(statement)
        if compiled is None:
            compiled = self._glances[statement] = statement.compile(self.engine)
        parameters: Any = compiled.construct_params(values)
        if compiled.positional:
            parameters = [parameters[name] for name in compiled.positiontup or ()]
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute(compiled.string, parameters)
            row: tuple[Any, ...] | None = cursor.fetchone()
            cursor.close()
        finally:
            connection.close()
        return row

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at its end, or leaves no trace when an exception passes.

        On SQLite it begins IMMEDIATE: a read that becomes a write would ignore the busy timeout.
        """
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def execute_alone(self, statement: str, parameters: Any) -> int:
        """One statement in the driver's own words, a transaction by itself; the rows it changed.

        For what a worker writes all the time: a session around it costs more than the statement.
        PostgreSQL takes one tuple, in one trip; SQLite takes many, and runs it for each. Raises
        what SQLAlchemy would raise; an error leaves no trace.
        """
        errors: Any = self.engine.dialect.loaded_dbapi.Error
        run = _alone_on_sqlite if self.is_sqlite else _alone_on_postgresql
        try:
            pooled = self.engine.raw_connection()
            try:
                count = run(pooled.driver_connection, statement, parameters)
            except BaseException:
                pooled.invalidate()  # whatever state it is in
                raise
        except errors as error:
            raise DBAPIError.instance(
                statement, None, error, errors, hide_parameters=True
            ) from error
        pooled.close()
        return count

    def dispose(self) -> None:
        """Close every connection, before a fork or at the end."""
        self.engine.dispose()


_TRUSTED_FOR = 1.0
"""Seconds after its last use for which a connection of PostgreSQL is taken without a question."""


def _postgresql_engine(url: str) -> Engine:
    engine = create_engine(
        url,
        connect_args={"connect_timeout": 10},
        json_deserializer=read_json,
        hide_parameters=True,  # errors are logged, and parameters hold addresses and links
        pool_size=10,
        max_overflow=20,
    )

    # Not pool_pre_ping: a worker takes a connection hundreds of times a second, and to ask each
    # time whether it still works would cost a sixth of its messages.
    @event.listens_for(engine, "checkin")
    def note_use(_: Any, record: Any) -> None:
        record.info["used_at"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def ask_the_idle(connection: Any, record: Any, _: Any) -> None:
        used_at = record.info.get("used_at")
        if used_at is None or time.monotonic() - used_at < _TRUSTED_FOR:
            return
        try:
            engine.dialect.do_ping(connection)
        except Exception as error:
            raise DisconnectionError("The database server has gone since the last use.") from error

    return engine


_OTHER_WAYS = ("seqscan", "bitmapscan", "sort", "hashjoin", "mergejoin")


def _go_by_index(connection: Any, _: Any) -> None:
    """PostgreSQL is to take no way but by an index where there is one.

    Its guesses are of the last time that the table was analysed. After that a hundred thousand
    messages may have come in, and to sort them all for each few hundred seems cheap to it.
    """
    for way in _OTHER_WAYS:
        connection.execute(f"SET enable_{way} = off")
    connection.commit()  # else the first one that is rolled back takes it along


_SQLITE_PATIENCE = 30
"""Seconds that one waits for another to end its transaction."""


def _sqlite_engine(url: str) -> Engine:
    path = Path(url.removeprefix("sqlite:///"))
    engine = create_engine(
        url,
        connect_args={"timeout": _SQLITE_PATIENCE},
        json_deserializer=read_json,
        hide_parameters=True,
        pool_size=10,
        max_overflow=20,
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; see below
        for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA cache_size=-65536")

    @event.listens_for(engine, "do_connect")
    def make_folder(*_: Any) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        if connection.get_execution_options().get("begins_immediate"):
            _begin_writing(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _alone_on_sqlite(raw: Any, statement: str, rows: Sequence[Sequence[object]]) -> int:
    if not _began_writing(raw):
        raw.execute("BEGIN IMMEDIATE")
    count: int = raw.executemany(statement, rows).rowcount
    raw.execute("COMMIT")
    return count


def _alone_on_postgresql(raw: Any, statement: str, parameters: Sequence[object]) -> int:
    raw.autocommit = True
    count: int = raw.execute(statement, parameters).rowcount
    raw.autocommit = False
    return count


def _begin_writing(connection: Any) -> None:
    """BEGIN IMMEDIATE. Raises OperationalError after `_SQLITE_PATIENCE`."""
    if not _began_writing(connection.connection.dbapi_connection):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _began_writing(raw: Any) -> bool:
    """BEGIN IMMEDIATE as soon as whoever writes now has done; False where it must be said again.

    SQLite's own busy handler sleeps up to 100 ms between two looks; with two processes that commit
    hundreds of times a second, that was a third of a worker's time.
    """
    end, pause = time.monotonic() + _SQLITE_PATIENCE, 0.0002
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < end:
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    break
                time.sleep(pause)
                pause = min(pause * 1.5, 0.005)
            else:
                return True
    finally:
        raw.execute(f"PRAGMA busy_timeout={_SQLITE_PATIENCE * 1000}")
    return False
