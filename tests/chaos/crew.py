"""Workers as the operator runs them: a supervisor over N processes; killed and started again.

A supervisor that is killed leaves children behind: they notice, finish what is on the wire and
end. Who looks after services starts a new supervisor meanwhile. A killed child is for the
supervisor to replace, nobody else does.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from sqlmodel import col, select

from kartramail.db import Database
from kartramail.outbox.models import Message, Worker
from tests.benchmarks.processes import wait_until
from tests.benchmarks.surroundings import ROOT
from tests.chaos.proc import adopting, children_of, frozen, kill, kill_and_reap, reap

_ARGV = (sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "kartramail", "worker")
_HOLDERS = select(Worker.pid).join(Message, col(Message.worker_id) == col(Worker.id)).distinct()


class Crew:
    """`flask kartramail worker --processes N` and its children."""

    def __init__(self, db: Database, environment: Mapping[str, str], size: int, log: Path) -> None:
        self.size = size
        self.dead: dict[int, float] = {}  # pids of workers that held mail to the end, and its time
        self.orphans: dict[int, float] = {}  # children of killed supervisors, and since when
        self.orphan_endings: list[tuple[int, float]] = []  # status, and seconds after its parent
        self.fallen: list[int] = []  # exit statuses of supervisors that ended by themselves
        self._db, self._environment, self._log = db, environment, log
        self._supervisor = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        argv = [*_ARGV, "--processes", str(self.size)]
        with self._log.open("ab") as log:
            return subprocess.Popen(
                argv, cwd=ROOT, env=dict(self._environment), stdout=log, stderr=log
            )

    def workers(self) -> list[int]:
        """The children of the supervisor that is there now, those that are starting too."""
        return children_of(self._supervisor.pid)

    def registered(self) -> dict[int, list[int]]:
        """Those of them that wait for mail or send it: the numbers that each has had."""
        children = set(self.workers())
        found: dict[int, list[int]] = {}
        with self._db.reading() as session:
            for number, pid in session.execute(select(Worker.id, Worker.pid)):
                if pid in children:
                    found.setdefault(pid, []).append(number)
        return found

    def busy(self) -> list[int]:
        """Those of them that hold messages now."""
        with self._db.reading() as session:
            holders = set(session.scalars(_HOLDERS))
        return [pid for pid in self.workers() if pid in holders] if holders else []

    @property
    def is_complete(self) -> bool:
        """Whether all of them are there."""
        self.tend()
        return len(self.registered()) == self.size

    def kill_worker(self, pid: int) -> None:
        """kill -9; the supervisor is to notice."""
        kill(pid)
        self.dead[pid] = time.monotonic()
        wait_until(lambda: pid not in self.workers())  # the kernel takes a moment

    def kill_supervisor(self) -> None:
        """kill -9, and a new one at once; the children of the old one are left to themselves."""
        pid = self._supervisor.pid
        with frozen(pid):  # so that it starts none that we do not know of
            children = self.workers()
            kill(pid)
        self._supervisor.wait()
        self.orphans |= dict.fromkeys(children, time.monotonic())
        self._supervisor = self._start()

    def tend(self) -> None:
        """Start the supervisor again where it ended by itself, and see which orphans have."""
        code = self._supervisor.poll()
        if code is not None:
            self.fallen.append(code)
            self._supervisor = self._start()
        self._look_after_orphans()

    def _look_after_orphans(self) -> None:
        for pid, since in list(self.orphans.items()):
            status = reap(pid)
            if status is None:
                continue
            del self.orphans[pid]
            self.orphan_endings.append((status, time.monotonic() - since))
            if status:
                self.dead[pid] = time.monotonic()

    def stop(self) -> int:
        """End all in good order; the supervisor's exit status."""
        self._supervisor.terminate()
        status = self._supervisor.wait(120)
        wait_until(self._has_no_orphans)
        return status

    def _has_no_orphans(self) -> bool:
        self._look_after_orphans()
        return not self.orphans

    def kill_all(self) -> None:
        """When a run is broken off."""
        pids = [*self.workers(), *self.orphans]
        self._supervisor.kill()
        self._supervisor.wait()
        kill_and_reap(pids)


@contextmanager
def working(db: Database, environment: Mapping[str, str], size: int, log: Path) -> Iterator[Crew]:
    """A crew; whatever of it is there when the block ends is killed. `log` gets what they say."""
    with adopting():
        crew = Crew(db, environment, size, log)
        try:
            yield crew
        finally:
            crew.kill_all()
