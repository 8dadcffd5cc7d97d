"""When to hit: a process is looked at from outside, for an instant, and killed or let go on.

What a mail server has taken and the database does not have yet is what a kill puts in doubt. For
that the process is stopped, the server's log and the rows are compared, and it is killed where it
stands. A process that writes is seen by its lock (SQLite), by its statement (PostgreSQL).
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import make_url, text
from sqlmodel import col, func, select

from kartramail.db import Database
from kartramail.ids import read_id
from kartramail.outbox.models import Message, Worker
from tests.chaos.counting_sink import CountingSink
from tests.chaos.plan import Aim
from tests.chaos.proc import frozen, has_lock, ports_to

_PATIENCE = 1.0  # seconds for a moment to come; then any is taken, while there is mail
_LOOK_EVERY = 0.0005
_ANSWERED_WITHIN = 0.005
_WAL_WRITE_LOCK = 120
"""The octet of the -shm file that is locked by who writes (SQLite, "WAL-mode file format", 2.3)."""

_HELD_BY = (
    select(func.count()).select_from(Message).join(Worker, col(Message.worker_id) == col(Worker.id))
)


@dataclass(frozen=True, slots=True)
class Look:
    """A process at one instant: its connections to the mail server, how many
    messages it holds, and how many of these the server has while they are not recorded."""

    connections: frozenset[int] = frozenset()
    held: int = 0
    in_doubt: int = 0
    is_writing: bool = False


class Writing(Protocol):
    """Whether a process is in the middle of a transaction that writes."""

    is_seen: bool  # whether one can tell at all
    is_of_results: bool  # and of what

    def __call__(self, pid: int) -> bool: ...


class Scope:
    """Looks at workers, and kills them."""

    def __init__(self, db: Database, sink: CountingSink) -> None:
        self._db, self._sink = db, sink
        self._is_writing: Writing = (
            _WritingOnSqlite(db) if db.is_sqlite else _WritingOnPostgreSql(db)
        )

    def hit(self, pid: int, aim: Aim, shoot: Callable[[int], None]) -> Look | None:
        """Kill the worker at the moment asked for, at any of its work where that does not come;
        what it was at. None where it has ended meanwhile, or has no work."""
        end = time.monotonic() + _PATIENCE
        if aim is Aim.WRITING and not self._is_writing.is_seen:
            aim = Aim.IN_DOUBT
        try:
            while True:
                is_late = time.monotonic() > end
                if aim is Aim.WRITING and not is_late and not self._is_writing(pid):
                    time.sleep(_LOOK_EVERY)
                    continue
                with frozen(pid):
                    look = self._look(pid)
                    if _fits(look, Aim.BUSY if is_late else aim):
                        shoot(pid)
                        return look
                if is_late or (not look.held and aim is Aim.BUSY):
                    return None
                time.sleep(random.uniform(0, 0.01))
        except ProcessLookupError:
            return None

    def hit_web(
        self, pid: int, aim: Aim, asked: Callable[[], set[str]], shoot: Callable[[int], None]
    ) -> Look | None:
        """The same for a worker of the web. What it has in doubt is messages that are in the
        outbox, while the answer that says so has not come."""
        end = time.monotonic() + _PATIENCE
        try:
            while True:
                is_late = time.monotonic() > end
                with frozen(pid):
                    time.sleep(_ANSWERED_WITHIN)  # what others than this one do is done by then
                    look = Look(in_doubt=self._count_taken(asked()))
                    if is_late or aim is Aim.BUSY or look.in_doubt:
                        shoot(pid)
                        return look
                time.sleep(random.uniform(0, 0.01))
        except ProcessLookupError:
            return None

    def _count_taken(self, recipients: set[str]) -> int:
        taken = select(func.count()).where(col(Message.to_key).in_(recipients))
        with self._db.reading() as session:
            return session.scalar(taken) or 0

    def _look(self, pid: int) -> Look:
        is_writing = self._is_writing(pid)  # first: the statement of a stopped one goes on
        ports = ports_to(pid, self._sink.port)
        taken = [read_id(one) for one in self._sink.arrivals.latest(ports)]
        held = _HELD_BY.where(col(Worker.pid) == pid)
        with self._db.reading() as session:
            count = session.scalar(held) or 0
            in_doubt = session.scalar(held.where(col(Message.id).in_(taken))) or 0
        is_recording = is_writing and (self._is_writing.is_of_results or in_doubt > 0)
        return Look(self._sink.arrivals.connections(ports), count, in_doubt, is_recording)


def _fits(look: Look, aim: Aim) -> bool:
    match aim:
        case Aim.WRITING:
            return look.is_writing
        case Aim.IN_DOUBT:
            return look.in_doubt > 0
        case Aim.BUSY:
            return look.held > 0
    return True


class _WritingOnSqlite:
    """By its lock, which may be that of a claim as well."""

    is_seen, is_of_results = True, False

    def __init__(self, db: Database) -> None:
        self._path = Path(db.url.removeprefix("sqlite:///") + "-shm")

    def __call__(self, pid: int) -> bool:
        return self._path.exists() and has_lock(pid, self._path.stat().st_ino, _WAL_WRITE_LOCK)


_RECORDING = text(r"""
    SELECT 1 FROM pg_stat_activity
    WHERE client_port = ANY(:ports) AND state = 'active'
        AND query ~ '^\s*UPDATE message SET\s+state = ''sent'''
    LIMIT 1
""")


class _WritingOnPostgreSql:
    """By its statement, which is found by the client's port: a socket of Unix has none."""

    is_of_results = True

    def __init__(self, db: Database) -> None:
        self._db = db
        self._port = make_url(db.url).port
        self.is_seen = self._port is not None

    def __call__(self, pid: int) -> bool:
        ports = ports_to(pid, self._port) if self._port else frozenset()
        if not ports:
            return False
        with self._db.engine.connect() as connection:
            return connection.execute(_RECORDING, {"ports": list(ports)}).first() is not None
