"""The test inbox: what the catcher took in, in an SQLite file of its own.

It shares no lock with the worker's database. One object a process; its methods may be called from
any thread. A message is on the disk when `add` returns.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.sandbox.letter import summarize

MOST = 5_000
"""The newest messages that are kept; an older one makes room."""

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
CREATE TABLE IF NOT EXISTS letter (
    id INTEGER PRIMARY KEY,
    arrived_at TEXT NOT NULL,
    mail_from TEXT NOT NULL,
    rcpt_to TEXT NOT NULL,
    sender TEXT NOT NULL,
    subject TEXT NOT NULL,
    is_seen INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS source (
    id INTEGER PRIMARY KEY REFERENCES letter(id) ON DELETE CASCADE,
    raw BLOB NOT NULL
);
"""
_COLUMNS = "id, arrived_at, mail_from, rcpt_to, sender, subject, is_seen"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list. `mail_from` and `rcpt_to` are the envelope's, `sender` the header's."""

    id: int
    arrived_at: datetime
    mail_from: str
    rcpt_to: tuple[str, ...]
    sender: str
    subject: str
    is_seen: bool


class Inbox:
    """The messages in one file, which is made, readable only by its owner, when it is missing."""

    def __init__(self, path: Path, most: int = MOST) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._most = most
        self._connection = sqlite3.connect(
            path, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def add(self, mail_from: str, rcpt_to: Sequence[str], raw: bytes) -> int:
        """Keep a message, and return its id once it is durable. Raises sqlite3.Error."""
        letter_id, (sender, subject) = new_id(), summarize(raw)
        arrived_at = now().isoformat()
        with self._writing() as connection:
            connection.execute(
                f"INSERT INTO letter ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, 0)",
                (letter_id, arrived_at, mail_from, json.dumps(rcpt_to), sender, subject),
            )
            connection.execute("INSERT INTO source VALUES (?, ?)", (letter_id, raw))
            connection.execute(
                "DELETE FROM letter WHERE id IN "
                "(SELECT id FROM letter ORDER BY id DESC LIMIT -1 OFFSET ?)",
                (self._most,),
            )
        return letter_id

    def entries(
        self, *, search: str = "", before: int | None = None, limit: int = 50
    ) -> list[Entry]:
        """The newest first; those that hold `search` in an address or the subject; older than
        `before`, where it is given."""
        pattern = "%" + "".join(f"\\{c}" if c in "\\%_" else c for c in search) + "%"
        where = "(rcpt_to LIKE :like ESCAPE '\\' OR sender LIKE :like ESCAPE '\\' "
        where += "OR subject LIKE :like ESCAPE '\\')"
        if before is not None:
            where += " AND id < :before"
        with self._lock:
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM letter WHERE {where} ORDER BY id DESC LIMIT :limit",
                {"like": pattern, "before": before, "limit": limit},
            ).fetchall()
        return [_entry(row) for row in rows]

    def entry(self, letter_id: int) -> Entry | None:
        """One line of the list."""
        with self._lock:
            row = self._connection.execute(
                f"SELECT {_COLUMNS} FROM letter WHERE id = ?", (letter_id,)
            ).fetchone()
        return _entry(row) if row else None

    def source(self, letter_id: int) -> bytes | None:
        """The message as it came over the wire, dots unstuffed."""
        with self._lock:
            row = self._connection.execute(
                "SELECT raw FROM source WHERE id = ?", (letter_id,)
            ).fetchone()
        return row[0] if row else None

    def version(self) -> str:
        """Changes whenever the list would look different."""
        with self._lock:
            row = self._connection.execute(
                "SELECT count(*), max(id), sum(is_seen) FROM letter"
            ).fetchone()
        return "-".join(str(value or 0) for value in row)

    def count(self) -> int:
        """How many messages there are."""
        with self._lock:
            return int(self._connection.execute("SELECT count(*) FROM letter").fetchone()[0])

    def mark_seen(self, letter_id: int) -> None:
        """Somebody opened it."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE letter SET is_seen = 1 WHERE id = ? AND is_seen = 0", (letter_id,)
            )

    def empty(self) -> None:
        """Throw everything away, and give the room on the disk back."""
        with self._writing() as connection:
            connection.execute("DELETE FROM letter")
        with self._lock:
            self._connection.execute("VACUUM")

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _entry(row: tuple[int, str, str, str, str, str, int]) -> Entry:
    letter_id, arrived_at, mail_from, rcpt_to, sender, subject, is_seen = row
    return Entry(
        id=letter_id,
        arrived_at=datetime.fromisoformat(arrived_at),
        mail_from=mail_from,
        rcpt_to=tuple(json.loads(rcpt_to)),
        sender=sender,
        subject=subject,
        is_seen=bool(is_seen),
    )
