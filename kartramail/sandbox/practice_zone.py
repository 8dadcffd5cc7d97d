"""What people published for made-up domains, in an SQLite file of its own.

The web processes write it and the practice DNS reads it, so it outlives both. One object a
process; its methods may be called from any thread. What `publish` returned from is on the disk.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import Purpose, WantedRecord
from kartramail.sandbox.practice_mistakes import find_mistake
from kartramail.sandbox.practice_records import Asker, PracticeRecord, made_up_domain, plain

ABSENT = "absent"
RIGHT = "right"

_PATIENCE = 5.0  # seconds for another process that is writing
_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA foreign_keys = ON;
CREATE TABLE IF NOT EXISTS publication (
    domain TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL,
    purpose TEXT NOT NULL,
    type TEXT NOT NULL,
    host TEXT NOT NULL,
    zone TEXT NOT NULL,
    wanted TEXT NOT NULL,
    PRIMARY KEY (domain, key)
);
CREATE TABLE IF NOT EXISTS record (
    domain TEXT NOT NULL,
    key TEXT NOT NULL,
    made_up TEXT NOT NULL,
    host TEXT NOT NULL,
    type TEXT NOT NULL,
    value TEXT NOT NULL,
    seen_by TEXT NOT NULL,
    FOREIGN KEY (domain, key) REFERENCES publication(domain, key) ON DELETE CASCADE
);
CREATE INDEX IF NOT EXISTS ix_record_made_up ON record (made_up);
CREATE INDEX IF NOT EXISTS ix_record_publication ON record (domain, key);
"""


class PracticeZone:
    """The records in one file, which is made, readable only by its owner, when it is missing."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
        )
        self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._connection.close()

    def publish(
        self,
        domain: str,
        wanted: WantedRecord,
        mistake: str | None = None,
        others: Sequence[WantedRecord] = (),
    ) -> None:
        """Put `wanted` into the zone, in place of what stood there for it.

        With the code of a mistake it stands there as somebody who makes that mistake would have
        it. `others` are the domain's other wanted records, for what mixes two of them up; those
        that were published before are known without. Raises ValueError for a domain that is not
        under `.test`, and for a mistake that cannot be made with this record.
        """
        domain = plain(domain)
        if made_up_domain(domain) is None or made_up_domain(wanted.host) is None:
            raise ValueError(f"{wanted.host} is no name of a made-up domain")
        others = (*others, *self._published_before(domain))
        records = _records(wanted, mistake, [each for each in others if each.key != wanted.key])
        with self._writing() as connection:
            _forget(connection, domain, wanted.key)
            connection.execute(
                "INSERT INTO publication VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    *(domain, wanted.key, mistake or RIGHT, wanted.purpose, wanted.type),
                    *(plain(wanted.host), plain(wanted.zone), wanted.value),
                ),
            )
            connection.executemany(
                "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(domain, wanted.key, *_row(record)) for record in records],
            )

    def remove(self, domain: str, wanted: WantedRecord) -> None:
        """Take away what was published for this record, right or wrong."""
        with self._writing() as connection:
            _forget(connection, plain(domain), wanted.key)

    def state(self, domain: str, key: str) -> str:
        """What is published for a wanted record: "absent", "right", or the mistake's code."""
        with self._lock:
            row = self._connection.execute(
                "SELECT state FROM publication WHERE domain = ? AND key = ?", (plain(domain), key)
            ).fetchone()
        return str(row[0]) if row else ABSENT

    def records(self, name: str) -> tuple[PracticeRecord, ...]:
        """Everything published in the made-up domain that `name` is or lies in, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT host, type, value, seen_by FROM record WHERE made_up = ? ORDER BY rowid",
                (made_up_domain(name),),
            ).fetchall()
        return tuple(
            PracticeRecord(host, RecordType(type_), value, frozenset(map(Asker, json.loads(seen))))
            for host, type_, value, seen in rows
        )

    def _published_before(self, domain: str) -> list[WantedRecord]:
        with self._lock:
            rows = self._connection.execute(
                "SELECT key, purpose, type, host, zone, wanted FROM publication WHERE domain = ?",
                (domain,),
            ).fetchall()
        return [
            WantedRecord(key, Purpose(purpose), RecordType(type_), host, zone, value)
            for key, purpose, type_, host, zone, value in rows
        ]

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


def _records(
    wanted: WantedRecord, code: str | None, others: Sequence[WantedRecord]
) -> tuple[PracticeRecord, ...]:
    if code is None:
        return (PracticeRecord(wanted.host, wanted.type, wanted.value),)
    mistake = find_mistake(code)
    if mistake is None or not mistake.applies_to(wanted):
        raise ValueError(f"{code} is no mistake that can be made with {wanted.host}")
    return mistake.records(wanted, others)


def _row(record: PracticeRecord) -> tuple[str | None, ...]:
    host = plain(record.host)
    seen_by = json.dumps(sorted(record.seen_by))
    return made_up_domain(host), host, record.type, record.value, seen_by


def _forget(connection: sqlite3.Connection, domain: str, key: str) -> None:
    connection.execute("DELETE FROM publication WHERE domain = ? AND key = ?", (domain, key))
