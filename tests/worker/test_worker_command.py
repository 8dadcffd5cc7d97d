"""`flask kartramail worker`: refuses an old schema, delivers with several processes, ends well."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sqlmodel import select

from kartramail import create_app
from kartramail.adapters.transport import SmtpTransport
from kartramail.config import MailTls, MailTransport, Settings
from kartramail.db import Database
from kartramail.outbox.models import MessageState, Worker
from kartramail.rules.replies import Accepted
from kartramail.schema import migrate
from kartramail.worker.process import smtp_settings
from tests.adapters.test_transport_delivery import envelopes
from tests.conftest import make_settings
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
        if len(os.sched_getaffinity(0)) == 2:
            assert {len(os.sched_getaffinity(pid)) for pid in _workers(db)} == {1}
        wait_until(lambda: all(m.state is MessageState.SENT for m in messages(db)), 60)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    ids = [received.data.partition(b"X-KartraMail-Message: ")[2][:13] for received in sink.messages]
    assert len(ids) == len(set(ids)) == 300
    assert _workers(db) == []


def _workers(db: Database) -> list[int]:
    with db.reading() as session:
        return list(session.exec(select(Worker.pid)))


@pytest.mark.parametrize("tls", list(MailTls))
def test_the_catcher_takes_mail_whatever_tls_is_asked_of_a_relay(
    settings: Settings, tls: MailTls
) -> None:
    with SinkServer() as sink:
        fitted = settings.model_copy(update={"mail_tls": tls, "catcher_port": sink.port})
        ((_, reply),) = SmtpTransport(smtp_settings(fitted)).deliver(envelopes(1))
    assert isinstance(reply, Accepted)


@pytest.mark.parametrize("processes", ["1", "2"])
@pytest.mark.parametrize(
    ("clash", "words"),
    [
        ({"mail_tls": MailTls.OFF, "mail_use_tls": True}, "MAIL_TLS is off, but"),
        ({"mail_use_tls": True, "mail_use_ssl": True}, "are both on"),
    ],
)
def test_settings_that_clash_end_with_one_line(
    db: Database, settings: Settings, clash: dict[str, object], words: str, processes: str
) -> None:
    """Also where whoever read the settings let them pass."""
    fitted = settings.model_copy(update={"mail_transport": MailTransport.RELAY, **clash})
    app = create_app(fitted)
    done = app.test_cli_runner().invoke(args=["kartramail", "worker", "--processes", processes])
    app.extensions["kartramail"].db.dispose()
    assert done.exit_code == 1
    assert done.stderr.startswith("kartramail: ")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["worker"], ["migrate"], ["web"]])
def test_a_database_that_is_not_there_is_one_line(command: list[str]) -> None:
    app = create_app(make_settings("postgresql+psycopg://127.0.0.1:1/nothing"))
    done = app.test_cli_runner().invoke(args=["kartramail", *command])
    assert done.exit_code == 1
    assert done.stderr.startswith("kartramail: The database of DATABASE_URL cannot be used: ")
    assert done.stderr.count("\n") == 1
