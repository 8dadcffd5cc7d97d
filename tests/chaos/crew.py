"""Worker processes that are killed and started again, and what they hold."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col

from kartramail.db import Database
from kartramail.outbox.models import Message, Worker
from tests.benchmarks.surroundings import ROOT

_ARGV = (sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "kartramail", "worker")
_HELD = select(col(Message.worker_id)).where(col(Message.worker_id).is_not(None)).distinct()


class Crew:
    """So many processes of `flask kartramail worker --processes 1`; each says its own EHLO."""

    def __init__(self, db: Database, environment: Mapping[str, str], size: int, log: Path) -> None:
        self._db, self._environment, self._log = db, environment, log
        self._processes = [self._start(place) for place in range(size)]
        self.buried: dict[int, float] = {}  # numbers of killed workers, and when they were killed
        self.fallen: list[int] = []  # exit codes of those that ended by themselves
        self._excused: set[int] = set()

    def _start(self, place: int) -> "subprocess.Popen[bytes]":
        named = {**self._environment, "EHLO_NAME": f"worker{place}.example"}
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [*_ARGV, "--processes", "1"], cwd=ROOT, env=named, stdout=log, stderr=log
            )

    def _numbers(self) -> dict[int, list[int]]:
        """Of each process that is registered: the place in the crew, its numbers as a worker."""
        places = {process.pid: place for place, process in enumerate(self._processes)}
        with self._db.reading() as session:
            rows = session.execute(select(col(Worker.id), col(Worker.pid))).all()
        found: dict[int, list[int]] = {}
        for number, pid in rows:
            if pid in places and number not in self.buried:
                found.setdefault(places[pid], []).append(number)
        return found

    @property
    def has_someone(self) -> bool:
        """Whether at least one is registered, who could take up what the dead held."""
        return bool(self._numbers())

    @property
    def size(self) -> int:
        """How many there are."""
        return len(self._processes)

    @property
    def is_complete(self) -> bool:
        """Whether all are registered, and so waiting for mail or sending it."""
        return len(self._numbers()) == self.size

    def busy(self) -> list[int]:
        """The places of those that hold messages now."""
        with self._db.reading() as session:
            held = set(session.scalars(_HELD))
        return [place for place, numbers in self._numbers().items() if held & set(numbers)]

    def kill(self, place: int) -> None:
        """kill -9 of one of them, and a new one in its place at once."""
        numbers = self._numbers().get(place, [])
        process = self._processes[place]
        process.kill()
        process.wait()
        self.buried |= dict.fromkeys(numbers, time.monotonic())
        self._processes[place] = self._start(place)

    def excuse_the_starting(self) -> None:
        """The database goes away now: one that has not begun its work may end without it."""
        registered = self._numbers()
        self._excused |= {
            process.pid for place, process in enumerate(self._processes) if place not in registered
        }

    def tend(self) -> None:
        """Start those again that ended by themselves, as a supervisor does, and note it."""
        for place, process in enumerate(self._processes):
            code = process.poll()
            if code is None:
                continue
            if process.pid not in self._excused:
                self.fallen.append(code)
            self._processes[place] = self._start(place)

    def stop(self) -> list[int]:
        """End all in good order; their exit codes."""
        for process in self._processes:
            process.terminate()
        return [process.wait(120) for process in self._processes]

    def kill_all(self) -> None:
        """When a run is broken off."""
        for process in self._processes:
            process.kill()
            process.wait()


@contextmanager
def working(db: Database, environment: Mapping[str, str], size: int, log: Path) -> Iterator[Crew]:
    """A crew; whatever of it is there when the block ends is killed. `log` gets what they say."""
    crew = Crew(db, environment, size, log)
    try:
        yield crew
    finally:
        crew.kill_all()


class Undertaker:
    """Looks, in a thread of its own, for how long messages stay with workers that were killed.

    What counts is the time in which somebody could take them up: the database and a worker are
    there.
    """

    def __init__(self, url: str, crew: Crew) -> None:
        self._db, self._crew = Database(url), crew
        self._ending = threading.Event()
        self._since = 0.0
        self.longest = 0.0
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Undertaker":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._thread.join()
        self._db.dispose()

    def _run(self) -> None:
        while not self._ending.wait(0.1):
            try:
                self._look()
            except SQLAlchemyError:  # while the database is away nobody can take anything up
                self._since = time.monotonic()

    def _look(self) -> None:
        at = time.monotonic()
        if not self._crew.has_someone:
            self._since = at
        buried = dict(self._crew.buried)
        with self._db.reading() as session:
            held = [number for number in session.scalars(_HELD) if number in buried]
        for number in held:
            self.longest = max(self.longest, at - max(buried[number], self._since))
