"""kill -9 of the worker while it sends: nothing lost, nothing stuck, next to nothing twice.

R-OUTBOX: what may go out twice is at most one message a connection, with the same Message-ID.
"""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.outbox.models import MessageState
from tests.support.outbox import add_account, add_messages, messages

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = 2_000
KILLS = 20
CONNECTIONS = 8
LEASE = 1


def test_twenty_kills_lose_nothing(db: Database, settings: Settings, tmp_path: Path) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        add_messages(session, account_id, MESSAGES)
    log = tmp_path / "sink.jsonl"
    with _sink(log) as port:
        environment = _environment(settings, port)
        for _ in range(KILLS):
            _run_and_kill(environment, log)
        worker = _start_worker(environment)
        _wait_for_the_rest(db)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0

    found = messages(db)
    arrived = [json.loads(line) for line in log.read_text().splitlines()]
    copies = Counter(line["x_kartramail_message"] for line in arrived)
    assert len(found) == MESSAGES
    assert {message.state for message in found} == {MessageState.SENT}
    assert len(copies) == MESSAGES
    assert len(arrived) - MESSAGES <= KILLS * CONNECTIONS
    # A copy is the same message: one Message-ID for each.
    assert len({(line["x_kartramail_message"], line["message_id"]) for line in arrived}) == MESSAGES


@contextmanager
def _sink(log: Path) -> Iterator[int]:
    argv = [sys.executable, "-m", "tests.support.smtp_server", "--log", str(log)]
    with subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


def _environment(settings: Settings, port: int) -> dict[str, str]:
    return os.environ | {
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "MASTER_KEYS": settings.master_keys.get_secret_value(),
        "MAIL_TRANSPORT": "relay",
        "MAIL_SERVER": "127.0.0.1",
        "MAIL_PORT": str(port),
        "WORKER_CONNECTIONS": str(CONNECTIONS),
        "WORKER_LEASE": str(LEASE),
    }


def _start_worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-m", "flask", "--app", "app.py", "kartramail", "worker"]
    return subprocess.Popen(
        [*argv, "--processes", "1"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )


def _count(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


def _run_and_kill(environment: dict[str, str], log: Path) -> None:
    """Let it send a few messages, for which it may first have to wait out a lease; kill it."""
    worker = _start_worker(environment)
    before, end = _count(log), time.monotonic() + 15
    goal = before + random.randint(1, MESSAGES // KILLS // 2)
    while _count(log) < goal and time.monotonic() < end:
        time.sleep(0.002)
    assert worker.poll() is None, "the worker ended by itself"
    worker.kill()
    worker.wait()
    assert _count(log) > before, "the worker sent nothing before it was killed"


def _wait_for_the_rest(db: Database) -> None:
    end = time.monotonic() + 120
    while any(m.state is not MessageState.SENT for m in messages(db)):
        assert time.monotonic() < end, Counter(m.state for m in messages(db))
        time.sleep(0.5)
