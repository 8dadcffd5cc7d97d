"""The web as the README starts it on a server: gunicorn, its master and its workers, to be killed.

Workers of a killed master notice within a second and end; until then they hold the port, and the
new master tries again, or is started again, as whoever looks after services does.
"""

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.benchmarks.surroundings import ROOT
from tests.chaos.proc import children_of, frozen, kill, kill_and_reap, reap

_ARGV = (sys.executable, "-m", "gunicorn", "app:app", "--threads", "8", "--workers", "2")
_START_AGAIN_AFTER = 0.5  # seconds, where a master ended by itself


class Web:
    """`gunicorn app:app --threads 8 --workers 2`."""

    def __init__(self, environment: Mapping[str, str], port: int, folder: Path) -> None:
        self.port = port
        self.orphans: set[int] = set()
        self._environment, self._folder = environment, folder
        self._due_at = 0.0
        self._master = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        bound = ("--bind", f"127.0.0.1:{self.port}")
        own = ("--control-socket", str(self._folder / "gunicorn.ctl"))  # others run beside us
        with (self._folder / "web-said").open("ab") as log:
            return subprocess.Popen(
                [*_ARGV, *bound, *own],
                cwd=ROOT,
                env=dict(self._environment),
                stdout=log,
                stderr=log,
            )

    def workers(self) -> list[int]:
        """The children of the master that is there now."""
        return children_of(self._master.pid)

    def kill_worker(self, pid: int) -> None:
        """kill -9; the master is to notice."""
        kill(pid)

    def kill_master(self) -> None:
        """kill -9, and a new one at once."""
        pid = self._master.pid
        with frozen(pid):
            children = self.workers()
            kill(pid)
        self._master.wait()
        self.orphans |= set(children)
        self._master = self._start()

    def tend(self) -> None:
        """Start the master again a moment after it ended by itself."""
        self.orphans = {pid for pid in self.orphans if reap(pid) is None}
        if self._master.poll() is None:
            self._due_at = time.monotonic() + _START_AGAIN_AFTER
        elif time.monotonic() > self._due_at:
            self._master = self._start()

    def kill_all(self) -> None:
        """At the end of a run: whatever is there."""
        pids = [*self.workers(), *self.orphans]
        self._master.kill()
        self._master.wait()
        kill_and_reap(pids)


@contextmanager
def serving(environment: Mapping[str, str], port: int, folder: Path) -> Iterator[Web]:
    """The web on that port until the block ends. `folder` gets what it says."""
    web = Web(environment, port, folder)
    try:
        yield web
    finally:
        web.kill_all()
