"""A thread that ends by itself ends the process: nothing looks alive and delivers nothing."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from kartramail.adapters.transport import Envelope, FakeTransport, Transport
from kartramail.config import ROOT, Settings
from kartramail.db import Database
from kartramail.delivery.engine import Engine, EngineBroken
from kartramail.delivery.lease import Lease
from kartramail.outbox.models import MessageState
from tests.support.engine import wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.worker.test_worker_command import environment


class Fault(Exception):
    """A fault of ours that nobody thought of."""


def fail(*_: object, **__: object) -> None:
    raise Fault


class Falling(FakeTransport):
    def send(self, envelope: Envelope) -> None:
        raise Fault


def in_the_heartbeat(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Transport]:
    monkeypatch.setattr(Lease, "_beat", fail)
    return FakeTransport


def in_the_recorder(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Transport]:
    monkeypatch.setattr("kartramail.delivery.recorder.write_results", fail)
    return FakeTransport


def in_a_connection(_: pytest.MonkeyPatch) -> Callable[[], Transport]:
    return Falling


def before_a_connection(_: pytest.MonkeyPatch) -> Callable[[], Transport]:
    def make() -> Transport:
        raise Fault

    return make


def in_the_feeder(monkeypatch: pytest.MonkeyPatch) -> Callable[[], Transport]:
    monkeypatch.setattr("kartramail.outbox.claims.Claimer.claim", fail)
    return FakeTransport


@pytest.mark.parametrize(
    "break_it",
    [in_the_heartbeat, in_the_recorder, in_a_connection, before_a_connection, in_the_feeder],
)
def test_the_engine_ends_and_says_so(
    db: Database,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    break_it: Callable[[pytest.MonkeyPatch], Callable[[], Transport]],
) -> None:
    with db.transaction() as session:
        add_messages(session, add_account(session), 5)
    fitted = settings.model_copy(update={"worker_connections": 2, "worker_lease": 1})
    engine = Engine(db, fitted, break_it(monkeypatch), threading.Event())
    with pytest.raises((EngineBroken, Fault)):
        engine.run()
    assert engine.broken.is_set()


WORKER = """
import sys
from flask.cli import FlaskGroup
from kartramail import create_app
from kartramail.adapters.transport import Courier
def send(self, envelope):
    raise RuntimeError("a fault of ours")
Courier.send = send
FlaskGroup(create_app=create_app)(["kartramail", "worker", "--processes", "1"])
"""


def test_the_process_ends_so_that_it_is_started_again(db: Database, settings: Settings) -> None:
    with db.transaction() as session:
        add_messages(session, add_account(session), 3)
    done = subprocess.run(
        [sys.executable, "-c", WORKER],
        cwd=ROOT,
        env=os.environ | environment(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "a fault of ours" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("kartramail: A thread")


def test_what_liquid_quotes_stops_nobodys_mail(db: Database, settings: Settings) -> None:
    """A lone surrogate or NUL in a value, quoted in the words of a failure."""
    with db.transaction() as session:
        account_id = add_account(session)
        words = ("s", "{{ v | uniq: v }}", None)
        for value in ("a\ud800b", "a\x00b"):
            add_messages(session, account_id, 1, words=words, variables={"v": value})
        add_messages(session, account_id, 3)
    transport = FakeTransport()
    stopping = threading.Event()
    engine = Engine(db, settings, lambda: transport, stopping)
    thread = threading.Thread(target=engine.run)
    thread.start()
    try:
        wait_until(lambda: not any(m.due_at or m.worker_id for m in messages(db)))
    finally:
        stopping.set()
        thread.join(30)
    assert not engine.broken.is_set()
    states = [m.state for m in messages(db)]
    assert states == [MessageState.FAILED] * 2 + [MessageState.SENT] * 3
    assert all(isinstance(envelope, Envelope) for envelope in transport.sent)
