"""`flask kartramail worker`: refuses an old schema, delivers with several processes, ends well."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from sqlmodel import select

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.outbox.models import MessageState, Worker
from kartramail.schema import migrate
from tests.support.engine import wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import SinkServer

ROOT = Path(__file__).resolve().parents[2]
WORKER = [sys.executable, "-m", "flask", "--app", "app.py", "kartramail", "worker"]


def environment(settings: Settings, port: int = 1) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "MASTER_KEYS": settings.master_keys.get_secret_value(),
        "MAIL_TRANSPORT": "relay",
        "MAIL_PORT": str(port),
    }


def test_it_refuses_an_old_schema_with_one_line(db: Database, settings: Settings) -> None:
    migrate(db, "base")
    try:
        done = subprocess.run(
            [*WORKER, "--processes", "1"],
            cwd=ROOT,
            env=environment(settings),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        migrate(db)
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "flask kartramail migrate" in done.stderr


def test_two_processes_share_the_work_and_sigterm_ends_them(
    db: Database, settings: Settings
) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        add_messages(session, account_id, 300)
    with SinkServer() as sink:
        process = subprocess.Popen(
            [*WORKER, "--processes", "2"], cwd=ROOT, env=environment(settings, sink.port)
        )
        wait_until(lambda: len(_workers(db)) == 2, 30)
        wait_until(lambda: all(m.state is MessageState.SENT for m in messages(db)), 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    ids = [received.data.partition(b"X-KartraMail-Message: ")[2][:13] for received in sink.messages]
    assert len(ids) == len(set(ids)) == 300
    assert _workers(db) == []


def _workers(db: Database) -> list[int]:
    with db.reading() as session:
        return list(session.exec(select(Worker.id)))
