"""A worker goes by indexes, whatever PostgreSQL's statistics say (R-SCALE)."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.outbox.models import MessageState
from tests.support.engine import wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import SinkServer
from tests.worker.test_worker_command import ROOT, WORKER, environment

_WATCH = """
    CREATE TABLE seen (sorts text, scans text);
    CREATE FUNCTION note_ways() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO seen VALUES (current_setting('enable_sort'), current_setting('enable_seqscan'));
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_ways AFTER UPDATE ON message FOR EACH ROW EXECUTE FUNCTION note_ways()
"""
_WATCH_NO_MORE = "DROP TRIGGER note_ways ON message; DROP FUNCTION note_ways; DROP TABLE seen"


def test_a_worker_takes_and_writes_by_indexes_only(db: Database, settings: Settings) -> None:
    if db.is_sqlite:
        return  # it takes the index that is there
    with db.transaction() as session:
        add_messages(session, add_account(session), 1)
    with _watched(db), SinkServer() as sink:
        worker = subprocess.Popen(
            [*WORKER, "--processes", "1"], cwd=ROOT, env=environment(settings, sink.port)
        )
        wait_until(lambda: messages(db)[0].state is MessageState.SENT, 60)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
        with db.reading() as session:
            seen = session.connection().execute(text("SELECT * FROM seen")).all()
    assert len(seen) >= 2, "it was claimed, and sent"
    assert set(seen) == {("off", "off")}


@contextmanager
def _watched(db: Database) -> Iterator[None]:
    """Whoever changes a message leaves word of the ways that PostgreSQL may take for it."""
    _run(db, _WATCH)
    try:
        yield
    finally:
        _run(db, _WATCH_NO_MORE)


def _run(db: Database, statements: str) -> None:
    with db.transaction() as session:
        session.connection().execute(text(statements))
