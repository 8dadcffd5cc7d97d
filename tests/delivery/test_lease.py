"""A worker whose heartbeat stopped sends nothing of what others have taken up (R-OUTBOX)."""

import threading
import time
from collections import Counter

import pytest
from sqlmodel import select

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery import engine
from kartramail.delivery.lease import Lease
from kartramail.outbox.models import MessageState, Worker
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import Received, SinkServer

CONNECTIONS = 2
MESSAGES = 150


def test_a_worker_that_cannot_beat_stops_before_others_take_over(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when it is frozen, swapped out, or cut off from the database."""
    is_held_up, may_go_on = threading.Event(), threading.Event()

    class HeldUp(Lease):
        def _beat(self) -> None:
            if is_held_up.is_set():
                may_go_on.wait()
            super()._beat()

    with db.transaction() as session:
        add_messages(session, add_account(session), MESSAGES)
    arrived: list[Received] = []

    def keep(received: Received) -> None:
        arrived.append(received)
        time.sleep(0.02)  # so that the worker still holds rows when its lease runs out

    with SinkServer(keep) as sink:
        with monkeypatch.context() as patched:
            patched.setattr(engine, "Lease", HeldUp)
            held_up = running_engine(db, settings, sink.port, connections=CONNECTIONS, lease=2)
            held_up.__enter__()
        wait_until(lambda: len(arrived) > 5)
        is_held_up.set()
        with running_engine(db, settings, sink.port, lease=2):
            wait_until(lambda: _are_sent(db), 60)
        before = len(arrived)
        may_go_on.set()
        wait_until(lambda: len(_workers(db)) == 1)  # it has found out, and registered anew
        held_up.__exit__(None, None, None)
    copies = Counter(r.data.partition(b"X-KartraMail-Message: ")[2][:13] for r in arrived)
    assert len(copies) == MESSAGES
    assert sum(copies.values()) - MESSAGES <= CONNECTIONS
    assert len(arrived) == before, "it sent what was no longer its own"
    assert _workers(db) == []


def _are_sent(db: Database) -> bool:
    return all(message.state is MessageState.SENT for message in messages(db))


def _workers(db: Database) -> list[int]:
    with db.reading() as session:
        return list(session.exec(select(Worker.id)))
