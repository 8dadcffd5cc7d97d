"""What /proc says of processes that we started, and how to stop them for an instant (Linux)."""

import ctypes
import os
import signal
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PROC = Path("/proc")
_PR_SET_CHILD_SUBREAPER = 36  # prctl(2)
_GONE = (FileNotFoundError, ProcessLookupError)


def children_of(parent: int) -> list[int]:
    """The pids of its children that run; what has ended and was not waited for is none."""
    found = (int(entry.name) for entry in _PROC.iterdir() if entry.name.isdecimal())
    return sorted(pid for pid in found if _is_child(pid, parent))


def _is_child(pid: int, parent: int) -> bool:
    try:
        # "pid (name) state parent …", and the name may hold anything.
        state, ppid = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[:2]
    except _GONE:
        return False
    return int(ppid) == parent and state not in "ZX"


def ports_to(pid: int, port: int) -> frozenset[int]:
    """The local ports of the process's connections to that port of 127.0.0.1."""
    sockets = set()
    with suppress(*_GONE):
        for entry in (_PROC / str(pid) / "fd").iterdir():
            with suppress(*_GONE):
                sockets.add(str(entry.readlink()).removeprefix("socket:[").removesuffix("]"))
    lines = (line.split() for line in (_PROC / "net/tcp").read_text().splitlines()[1:])
    remote = f"0100007F:{port:04X}"
    return frozenset(
        int(words[1].partition(":")[2], 16)
        for words in lines
        if words[2] == remote and words[9] in sockets
    )


def has_lock(pid: int, inode: int, octet: int) -> bool:
    """Whether the process holds a lock for writing on that octet of the file."""
    lines = (line.split() for line in (_PROC / "locks").read_text().splitlines())
    return any(
        words[3:5] == ["WRITE", str(pid)]
        and words[5].endswith(f":{inode}")
        and words[6:8] == [str(octet), str(octet)]
        for words in lines
        if words[1] == "POSIX"
    )


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    """Nothing moves in the process while one looks at it; goes on after it, unless killed."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


@contextmanager
def adopting() -> Iterator[None]:
    """Processes whose parent is killed become our children, so that we learn how they end."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def reap(pid: int) -> int | None:
    """The exit status of a process that we started or adopted; None while it runs."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:  # its parent is being killed, and it is not ours yet
        return None
    return os.waitstatus_to_exitcode(status) if ended else None


def kill(pid: int) -> None:
    """kill -9 of one process."""
    if pid <= 1:
        raise ValueError("That would be everybody.")
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def kill_and_reap(pids: Iterable[int]) -> None:
    """kill -9 of all of these, and wait a moment for those that are our children by now."""
    left = set(pids)
    for pid in left:
        kill(pid)
    end = time.monotonic() + 2
    while left and time.monotonic() < end:
        left = {pid for pid in left if reap(pid) is None and is_there(pid)}
        time.sleep(0.01)


def is_there(pid: int) -> bool:
    """Whether it runs, or has ended and nobody has noticed."""
    return (_PROC / str(pid)).exists()
