"""Our side of a benchmark: `flask kartramail worker`, what it has done, and what it needs."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import ColumnElement, delete, select
from sqlmodel import col, func

from kartramail.db import Database
from kartramail.outbox.models import Message, MessageState, Worker
from tests.benchmarks.processes import PATIENCE, running, wait_until
from tests.benchmarks.sinks import Sink
from tests.benchmarks.surroundings import ROOT, environment

_FLASK = (sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "kartramail")
_SAMPLE_EVERY = 0.1


@contextmanager
def working(
    url: str, sink: Sink, db: Database, *, processes: int = 2, connections: int | None = None
) -> Iterator[None]:
    """A worker that waits for mail, all of its processes registered; ended in good order.

    Without `connections` each process has as many as it has by default.
    """
    settings: dict[str, object] = {
        "mail_transport": "relay",
        "mail_server": "127.0.0.1",
        "mail_port": sink.port,
        "sending_limits": 0,  # the warm-up of a new account would stop it after the first few
    }
    if connections is not None:
        settings["worker_connections"] = connections
    with db.transaction() as session:  # of a run that was broken off
        session.connection().execute(delete(Worker))
    argv = [*_FLASK, "worker", "--processes", str(processes), "--grace", "30"]
    with running(argv, env=environment(url, **settings)):
        wait_until(lambda: len(worker_pids(db)) == processes)
        yield


def worker_pids(db: Database) -> list[int]:
    """The delivery processes that are registered."""
    with db.reading() as session:
        return list(session.scalars(select(col(Worker.pid))))


def wait_until_finished(
    db: Database, *, but_domain: str | None = None, patience: float = PATIENCE
) -> float:
    """Wait until no row waits or is held; those to `but_domain` may. Returns that moment.

    Both are asked by small indexes, so that looking costs next to nothing. Raises NotDone.
    """
    queries = [
        select(col(Message.id)).where(column.is_not(None), *_but(but_domain)).limit(1)
        for column in (col(Message.due_at), col(Message.worker_id))
    ]

    def is_finished() -> bool:
        with db.reading() as session:
            return all(session.execute(query).first() is None for query in queries)

    wait_until(is_finished, patience=patience)
    return time.perf_counter()


def _but(domain: str | None) -> tuple[ColumnElement[bool], ...]:
    return () if domain is None else (col(Message.to_domain) != domain,)


def count_states(db: Database, *, but_domain: str | None = None) -> dict[MessageState, int]:
    """How many messages are in each state; those to `but_domain` are not counted."""
    states_of = select(col(Message.state), func.count()).where(*_but(but_domain))
    with db.reading() as session:
        return dict(session.execute(states_of.group_by(col(Message.state))).tuples().all())


def check_all_sent(db: Database, *, but_domain: str | None = None) -> None:
    """Raises RuntimeError where a message is anything but sent."""
    counts = count_states(db, but_domain=but_domain)
    if set(counts) != {MessageState.SENT}:
        raise RuntimeError(f"Not every message was sent: {counts}")


# -- memory -----------------------------------------------------------------------------------


@dataclass(slots=True)
class Memory:
    """What one process held, in MB: samples over time, and the most that the kernel saw."""

    samples: list[float] = field(default_factory=list)
    peak: float = 0.0

    @property
    def start(self) -> float:
        """The first sample."""
        return self.samples[0]

    @property
    def end(self) -> float:
        """The last sample."""
        return self.samples[-1]

    @property
    def growth(self) -> float:
        """The last third's mean over that of the second third: 1 is flat."""
        third = len(self.samples) // 3
        second, last = self.samples[third : 2 * third], self.samples[-third:]
        return (sum(last) / len(last)) / (sum(second) / len(second))


@contextmanager
def watched_memory(pids: Sequence[int]) -> Iterator[list[Memory]]:
    """Sample these processes while the block runs, which must be for at least a second."""
    found = {pid: Memory() for pid in pids}
    ending = threading.Event()

    def sample() -> None:
        while not ending.is_set():
            for pid, memory in found.items():
                status = _status(pid)
                memory.samples.append(status["VmRSS"])
                memory.peak = status["VmHWM"]
            ending.wait(_SAMPLE_EVERY)

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield list(found.values())
    finally:
        ending.set()
        thread.join()


def _status(pid: int) -> dict[str, float]:
    """The sizes of /proc/PID/status, in MB (the kernel says kB and means 1,024 octets)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    pairs = (line.split(":", 1) for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) * 1024 / 1e6 for name, value in pairs}


def settle() -> None:
    """Let a worker that has just started come to rest."""
    time.sleep(0.5)
