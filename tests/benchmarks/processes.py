"""Programs that a benchmark starts beside itself: the contestants, and waiting for them.

A contestant says `ready` when everything is loaded, begins at a line on its standard input, and
says `done`. So nobody's start is counted, neither ours nor a peer's.
"""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.benchmarks.surroundings import ROOT

READY, DONE = "ready", "done"
_LOOK_EVERY = 0.02
PATIENCE = 120.0
"""Seconds after which a benchmark gives up, rather than hang."""


class NotDone(RuntimeError):
    """What was measured took longer than a benchmark waits."""


@contextmanager
def running(
    argv: Sequence[str],
    *,
    cwd: Path = ROOT,
    env: Mapping[str, str] | None = None,
    talks: bool = False,
) -> Iterator["subprocess.Popen[str]"]:
    """A process of ours until the block ends; `talks` opens its standard input and output."""
    pipe = subprocess.PIPE if talks else subprocess.DEVNULL
    process = subprocess.Popen(
        argv, cwd=cwd, env=env, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def time_contestants(
    argvs: Sequence[Sequence[str]], *, cwd: Path = ROOT, env: Mapping[str, str] | None = None
) -> float:
    """Seconds from the start signal until the last of these processes says that it is done.

    Raises RuntimeError when one of them ends before it has said so.
    """
    with ExitStack() as stack:
        found = [stack.enter_context(running(argv, cwd=cwd, env=env, talks=True)) for argv in argvs]
        for process in found:
            _expect(process, READY)
        started = time.perf_counter()
        for process in found:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        for process in found:
            _expect(process, DONE)
        return time.perf_counter() - started


def _expect(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if line != word:
        raise RuntimeError(f"{process.args!r} said {line!r} where {word!r} was expected")


def wait_until(
    is_so: Callable[[], bool], *, every: float = _LOOK_EVERY, patience: float = PATIENCE
) -> None:
    """Look again and again until it is so. Raises NotDone when it never is."""
    end = time.monotonic() + patience
    while not is_so():
        if time.monotonic() > end:
            raise NotDone(f"What is measured was not done within {patience:g} s.")
        time.sleep(every)
