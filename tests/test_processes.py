"""Children end with their parent, whatever ends it; the supervisor keeps them going meanwhile."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from kartramail.processes import LIFELINE, ROLL, Child, Lifeline, Supervisor, end_with_parent
from tests.support.engine import wait_until

# Reports its number once it follows its parent, then waits for a signal.
CHILD = """
import os, pathlib, signal, sys
from kartramail.processes import end_with_parent
{before}
end_with_parent(grace=0.2)
pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
while True: signal.pause()
"""

PARENT = """
import sys, time
from kartramail.processes import Child, Lifeline
lifeline = Lifeline()
process = lifeline.spawn(Child("child", [sys.executable, "-c", sys.argv[2], sys.argv[1]]))
while True: time.sleep(60)
"""

# A child that itself keeps a child, like the worker with several delivery processes.
SUPERVISING_CHILD = """
import sys
from kartramail.processes import Child, end_with_parent, supervise
end_with_parent()
supervise([Child("inner", [sys.executable, "-c", {inner!r}, sys.argv[1]])])
"""


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has waited for yet has ended all the same."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def read_pid(path: Path) -> int:
    wait_until(lambda: path.exists() and path.read_text() != "", 60)
    return int(path.read_text())


@pytest.mark.parametrize(
    "code",
    [
        CHILD.format(before=""),
        CHILD.format(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)"),
        SUPERVISING_CHILD.format(inner=CHILD.format(before="")),
    ],
    ids=["a child", "a child that is deaf to SIGTERM", "a child of a child"],
)
def test_killing_the_parent_leaves_nothing(code: str, tmp_path: Path) -> None:
    report = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(report), code])
    pid = read_pid(report)
    assert is_alive(pid)
    parent.kill()
    parent.wait()
    wait_until(lambda: not is_alive(pid), 60)


@pytest.mark.parametrize("descriptor", ["", "nonsense", "99999", "0"])
def test_a_process_without_lifeline_goes_on(
    descriptor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(LIFELINE, descriptor)
    with Path(os.devnull).open() as file:
        if descriptor == "0":  # a descriptor that is open, but no pipe
            monkeypatch.setenv(LIFELINE, str(file.fileno()))
        before = threading.active_count()
        end_with_parent()
        assert threading.active_count() == before
    assert LIFELINE not in os.environ


def shell(name: str, script: str) -> Child:
    return Child(name, ["/bin/sh", "-c", script])


def stop_when(supervisor: Supervisor, is_so: Callable[[], bool]) -> None:
    """From another thread, as `run` needs the main one."""

    def watch() -> None:
        try:
            wait_until(is_so, 30)
        finally:
            supervisor.stop()

    threading.Thread(target=watch, daemon=True).start()


def test_it_starts_all_and_ends_all(tmp_path: Path) -> None:
    children = [shell(n, f"echo $$ > {tmp_path / n}; exec sleep 600") for n in ("one", "two")]
    supervisor = Supervisor(children)
    stop_when(supervisor, lambda: len(list(tmp_path.iterdir())) == 2)
    assert supervisor.run() == 0
    assert not any(is_alive(read_pid(tmp_path / name)) for name in ("one", "two"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_it_in_good_order(number: signal.Signals, tmp_path: Path) -> None:
    started = tmp_path / "started"
    child = shell("child", f"trap 'exit 0' TERM; touch {started}; while :; do sleep 0.05; done")
    supervisor = Supervisor([child])

    def send() -> None:
        wait_until(started.exists, 30)
        os.kill(os.getpid(), number)

    threading.Thread(target=send, daemon=True).start()
    before = signal.getsignal(number)
    assert supervisor.run() == 0
    assert signal.getsignal(number) is before


def test_one_that_ends_by_itself_is_started_again(tmp_path: Path) -> None:
    lives = tmp_path / "lives"
    script = f"echo x >> {lives}; [ $(wc -l < {lives}) -gt 1 ] && exec sleep 600; exit 3"
    supervisor = Supervisor([shell("frail", script)])
    stop_when(supervisor, lambda: lives.exists() and lives.read_text().count("x") >= 2)
    assert supervisor.run() == 0


def test_what_a_fallen_child_forked_falls_with_it(tmp_path: Path) -> None:
    """gunicorn's workers would keep the port that its next life needs."""
    forked, lives = tmp_path / "forked", tmp_path / "lives"
    script = f"sleep 600 & echo $! >> {forked}; echo x >> {lives}; kill -9 $$"
    supervisor = Supervisor([shell("frail", script)])
    stop_when(supervisor, lambda: lives.exists() and lives.read_text().count("x") >= 2)
    supervisor.run()
    wait_until(lambda: not any(is_alive(int(pid)) for pid in forked.read_text().split()))


def test_one_that_does_not_end_is_killed_and_said_so(tmp_path: Path) -> None:
    report = tmp_path / "pid"
    child = shell("deaf", f"trap '' TERM; echo $$ > {report}; while :; do sleep 0.05; done")
    supervisor = Supervisor([child], grace=0.2)
    stop_when(supervisor, lambda: report.exists() and report.read_text() != "")
    assert supervisor.run() == 1
    assert not is_alive(read_pid(report))


# Deaf to SIGTERM itself, it keeps a child in a session of its own, as the worker does.
DEAF_PARENT = """
import signal, sys
from kartramail.processes import Child, Lifeline
signal.signal(signal.SIGTERM, signal.SIG_IGN)
lifeline = Lifeline()
lifeline.spawn(Child("inner", [sys.executable, "-c", {inner!r}, sys.argv[1]]))
while True: signal.pause()
"""


def test_it_ends_after_the_last_of_the_tree(tmp_path: Path) -> None:
    """A child of a child that was killed outlives it a little: "ended" is said after that."""
    report = tmp_path / "pid"
    inner = CHILD.format(before="signal.signal(signal.SIGTERM, signal.SIG_IGN)")
    code = DEAF_PARENT.format(inner=inner.replace("grace=0.2", "grace=5"))
    child = Child("deaf", [sys.executable, "-c", code, str(report)])
    supervisor = Supervisor([child], grace=0.2)
    stop_when(supervisor, lambda: report.exists() and report.read_text() != "")
    assert supervisor.run() == 1
    # The last breath: a process that exits closes its files just before it is gone.
    wait_until(lambda: not is_alive(read_pid(report)), 2)


def test_only_the_top_of_a_tree_waits_for_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    top = Lifeline()
    monkeypatch.setenv(ROLL, str(top._roll))
    below = Lifeline()
    below.close()
    assert below.wait_for_the_last(0)
    top.close()
    assert top.wait_for_the_last(0)


def test_the_pause_before_the_next_start_grows_and_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Time is told, not waited for: the supervisor sleeps by a clock of the test's own."""
    clock, starts = [0.0], []
    supervisor = Supervisor([shell("frail", "exit 1")])
    spawn = Lifeline.spawn

    def note(lifeline: Lifeline, child: Child) -> "subprocess.Popen[bytes]":
        starts.append(clock[0])
        process = spawn(lifeline, child)
        process.wait()
        return process

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if clock[0] > 200:
            supervisor.stop()

    monkeypatch.setattr(Lifeline, "spawn", note)
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(time, "sleep", sleep)
    supervisor.run()
    pauses = [round(later - earlier) for earlier, later in pairwise(starts)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= 1
    assert pauses[-1] == 30
