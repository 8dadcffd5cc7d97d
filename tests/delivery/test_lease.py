"""A worker whose heartbeat stopped sends nothing of what others have taken up (R-OUTBOX)."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlmodel import select, update

from kartramail.clock import now
from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery import engine
from kartramail.delivery.lease import Lease, read_clocks
from kartramail.outbox.models import MessageState, Worker
from kartramail.outbox.queue_figures import waiting_without_worker
from kartramail.outbox.workers import reclaim, register_worker
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


def _bury_all(db: Database) -> None:
    """As somebody does to whom all heartbeats look old."""
    with db.transaction() as session:
        long_ago = now() - timedelta(hours=1)
        session.connection().execute(update(Worker).values(heartbeat_at=long_ago))
        reclaim(session, timedelta(seconds=15))


def test_a_worker_that_was_buried_alive_stops_with_what_is_on_the_wire(
    db: Database, settings: Settings
) -> None:
    """It finds out by its first answer that is not taken, long before its next heartbeat."""
    with db.transaction() as session:
        add_messages(session, add_account(session), MESSAGES)
    arrived: list[Received] = []

    def keep(received: Received) -> None:
        arrived.append(received)
        time.sleep(0.01)

    with (
        SinkServer(keep) as sink,
        running_engine(db, settings, sink.port, connections=CONNECTIONS, lease=60),
    ):
        wait_until(lambda: len(arrived) > 5)
        _bury_all(db)
        with running_engine(db, settings, sink.port, connections=CONNECTIONS, lease=60):
            wait_until(lambda: _are_sent(db), 60)
    copies = Counter(r.data.partition(b"X-KartraMail-Message: ")[2][:13] for r in arrived)
    assert len(copies) == MESSAGES
    assert sum(copies.values()) - MESSAGES <= CONNECTIONS
    assert all(message.worker_id is None for message in messages(db))


def test_a_worker_that_claims_again_what_it_waits_for_an_answer_to_goes_on(
    db: Database, settings: Settings
) -> None:
    """The answer of its earlier life comes first; two of one message at once would mix them up."""
    with db.transaction() as session:
        account_id = add_account(session)
        add_messages(session, account_id, 1)
    arrived: list[Received] = []
    may_answer = threading.Event()

    def keep(received: Received) -> None:
        arrived.append(received)
        may_answer.wait(20)

    with (
        SinkServer(keep) as sink,
        # So many that a domain whose answer takes its time has another connection.
        running_engine(db, settings, sink.port, connections=16, timeout=30, lease=3),
    ):
        wait_until(lambda: len(arrived) == 1)
        (buried,) = _workers(db)
        _bury_all(db)
        wait_until(lambda: bool(_workers(db)) and _workers(db) != [buried])
        time.sleep(1)  # it claims, and finds the row
        may_answer.set()
        wait_until(lambda: _are_sent(db), 30)
        with db.transaction() as session:
            add_messages(session, account_id, 5)
        wait_until(lambda: _are_sent(db))
    assert len(arrived) == 2 + 5


def test_a_worker_that_was_buried_while_idle_delivers_again(
    db: Database, settings: Settings
) -> None:
    """It must not claim under a number that is no worker's any more."""
    with db.transaction() as session:
        account_id = add_account(session)
    with SinkServer() as sink, running_engine(db, settings, sink.port, lease=60):
        wait_until(lambda: len(_workers(db)) == 1)
        _bury_all(db)
        with db.transaction() as session:
            add_messages(session, account_id, 20)
        wait_until(lambda: _are_sent(db))
    assert len(sink.messages) == 20


@pytest.mark.parametrize("which", range(3), ids=["monotonic", "boot time", "wall"])
@pytest.mark.parametrize("step", [60.0, -60.0])
def test_the_hold_is_trusted_only_if_every_clock_agrees(
    db: Database, monkeypatch: pytest.MonkeyPatch, which: int, step: float
) -> None:
    """A machine that slept, or whose clock was set, may have been buried meanwhile."""
    lease = Lease(db, 15, lambda _, error: pytest.fail(str(error)))
    lease.start()
    try:
        assert lease.is_held
        with monkeypatch.context() as patched:
            moved = tuple(
                reading + (step if n == which else 0) for n, reading in enumerate(read_clocks())
            )
            patched.setattr("kartramail.delivery.lease.read_clocks", lambda: moved)
            assert not lease.is_held
    finally:
        lease.stop()


def test_a_heartbeat_says_how_many_messages_the_process_holds(db: Database) -> None:
    lease = Lease(db, 0.6, lambda _, error: pytest.fail(str(error)), holds=lambda: 7)
    lease.start()
    try:
        wait_until(lambda: _said_to_be_held(db) == [7])
    finally:
        lease.stop()


def _said_to_be_held(db: Database) -> list[int]:
    with db.reading() as session:
        return list(session.exec(select(Worker.held)))


def test_a_clock_that_is_wrong_buries_nobody(
    make_database_url: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On many machines the age of a heartbeat is told by the database's clock alone."""
    db = Database(make_database_url("postgresql"))
    with db.transaction() as session:
        register_worker(session, "one", 1)
    with monkeypatch.context() as patched:
        patched.setattr("kartramail.outbox.claims.now", lambda: now() + timedelta(hours=1))
        with db.transaction() as session:
            reclaim(session, timedelta(seconds=15))
            assert waiting_without_worker(session, timedelta(seconds=15), has_limits=True) is None
    assert len(_workers(db)) == 1
    db.dispose()


def test_little_is_held_in_memory(db: Database, settings: Settings) -> None:
    """What a killed process held counts as a death of each."""
    with db.transaction() as session:
        add_messages(session, add_account(session), MESSAGES)
    may_go_on = threading.Event()

    def keep(_: Received) -> None:
        may_go_on.wait(20)

    with SinkServer(keep) as sink, running_engine(db, settings, sink.port, timeout=30):
        wait_until(lambda: _held(db) >= CONNECTIONS)
        # Longer than one look: rows that are put off and others claimed for them must not add up.
        end = time.monotonic() + 2
        while time.monotonic() < end:
            assert _held(db) <= 5 * CONNECTIONS
        may_go_on.set()
        wait_until(lambda: _are_sent(db), 60)


def test_a_worker_told_to_stop_keeps_only_what_is_on_the_wire(
    db: Database, settings: Settings
) -> None:
    """A server may take minutes for its last answer: all else is others' meanwhile."""
    with db.transaction() as session:
        account_id = add_account(session)
        for n in range(40):  # so that none is put off for what its domain does
            add_messages(session, account_id, 1, domain=f"d{n}.example.net")
    is_on_the_wire, may_go_on = threading.Event(), threading.Event()

    def keep(_: Received) -> None:
        is_on_the_wire.set()
        may_go_on.wait(20)

    with (
        SinkServer(keep) as sink,
        running_engine(db, settings, sink.port, timeout=30) as stopping,
    ):
        assert is_on_the_wire.wait(20)
        wait_until(lambda: _held(db) > 2 * CONNECTIONS)
        stopping.set()
        wait_until(lambda: _held(db) <= 2 * CONNECTIONS, 10)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            assert 0 < _held(db) <= 2 * CONNECTIONS
        may_go_on.set()


def _held(db: Database) -> int:
    return sum(message.worker_id is not None for message in messages(db))
