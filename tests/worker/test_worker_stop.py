"""A worker that is told to stop ends in time, also while the database takes nothing (R-OUTBOX)."""

import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.outbox.models import MessageState
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import Received, SinkServer
from tests.worker.test_worker_command import ROOT, WORKER, environment

GRACE = 2


@contextmanager
def nothing_can_be_written(db: Database) -> Iterator[None]:
    """Who would write waits: for as long as this lasts, the database is as good as away."""
    with db.transaction() as session:
        connection = session.connection()
        if not db.is_sqlite:
            connection.execute(text("LOCK TABLE message, worker"))
        yield


@pytest.mark.parametrize("processes", [1, 2])
def test_it_ends_after_its_grace_though_results_cannot_be_written_and_nothing_is_lost(
    db: Database, settings: Settings, processes: int
) -> None:
    with db.transaction() as session:
        add_messages(session, add_account(session), 1)
    taken: list[Received] = []
    has_come, may_be_taken = threading.Event(), threading.Event()

    def take(received: Received) -> None:
        has_come.set()
        assert may_be_taken.wait(60)
        taken.append(received)

    command = [*WORKER, "--processes", str(processes), "--grace", str(GRACE)]
    with SinkServer(take) as sink:
        worker = subprocess.Popen(
            command, cwd=ROOT, env=environment(settings, sink.port), stderr=subprocess.PIPE
        )
        assert has_come.wait(60)
        with nothing_can_be_written(db):
            may_be_taken.set()
            wait_until(lambda: len(taken) == 1)
            worker.send_signal(signal.SIGTERM)
            _, said = worker.communicate(timeout=60)
        assert worker.returncode == 1
        assert b"did not end in time" in said.lower()
        if db.is_sqlite:  # PostgreSQL itself goes on with what had been put to it
            assert messages(db)[0].state is MessageState.SENDING
        with running_engine(db, settings, sink.port, connections=1, lease=1):
            wait_until(lambda: messages(db)[0].state is MessageState.SENT, 60)
    assert 1 <= len(taken) <= 2  # one connection: it may go out twice, and no more


def test_one_that_has_nothing_to_write_does_not_wait_for_its_grace(
    db: Database, settings: Settings
) -> None:
    with db.transaction() as session:
        add_messages(session, add_account(session), 3)
    with SinkServer() as sink:
        worker = subprocess.Popen(
            [*WORKER, "--processes", "1", "--grace", "3600"],
            cwd=ROOT,
            env=environment(settings, sink.port),
        )
        wait_until(lambda: {one.state for one in messages(db)} == {MessageState.SENT}, 60)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(60) == 0
