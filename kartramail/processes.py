"""Child processes that end with their parent, and a small supervisor over them.

Every child inherits the reading end of a pipe whose writing end only its parent holds, in no file
and under no name. However the parent ends, kill -9 included, the kernel closes that end, the child
reads the end of the pipe, and ends as well. Nothing is left behind that nobody looks after.

A second pipe, whose writing end all processes of a tree hold, is the roll call: when all of them
have ended, and not before, the process at the top reads its end.
"""

import os
import select
import signal
import stat
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

LIFELINE = "KARTRAMAIL_LIFELINE"
"""The environment variable that tells a child its descriptor of the pipe."""

ROLL = "KARTRAMAIL_ROLL"
"""The same, for the pipe of the roll call."""

_LOOK_EVERY = 0.1
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_CLEAN_ENDS = (0, -signal.SIGTERM)  # the second: told to stop before it could listen
# A child that ends by itself is started again after 0.5 s, 1 s, 2 s … and at most half a minute;
# one that then lived for a minute is taken for well again.
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_WELL_AFTER = 60.0
_PARENTLESS_GRACE = 10.0


@dataclass(frozen=True, slots=True)
class Child:
    """What to run: a name for the logs, the command, and what is added to its environment."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)


class Lifeline:
    """The pipe that ties children to this process, and the roll call of its whole tree."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        self._roll_reading: int | None = None
        inherited = _given_pipe(os.environ.get(ROLL, ""))
        if inherited is None:
            self._roll_reading, self._roll = os.pipe()
        else:
            self._roll = inherited  # the process at the top reads it

    def spawn(self, child: Child) -> "subprocess.Popen[bytes]":
        """Start the child in a session of its own, so that Ctrl-C reaches only its parent.

        Raises OSError when the command cannot be started.
        """
        return subprocess.Popen(  # noqa: S603 - our own commands, no shell
            list(child.argv),
            env={
                **os.environ,
                **child.env,
                LIFELINE: str(self._reading),
                ROLL: str(self._roll),
            },
            stdin=subprocess.DEVNULL,
            pass_fds=(self._reading, self._roll),
            start_new_session=True,
        )

    def close(self) -> None:
        """Let go: children that still run end now."""
        os.close(self._writing)
        os.close(self._reading)

    def wait_for_the_last(self, seconds: float) -> bool:
        """At the top of a tree, after `close`: wait until all of it has ended; whether it has.

        Children of children are not ours to wait for. Where their parent was killed, they end by
        its lifeline, a little later.
        """
        if self._roll_reading is None:
            return True
        os.close(self._roll)
        try:
            return bool(select.select([self._roll_reading], [], [], seconds)[0])
        finally:
            os.close(self._roll_reading)


def end_with_parent(grace: float = _PARENTLESS_GRACE) -> None:
    """In a child: end when the parent does, by SIGTERM, and hard after `grace` seconds.

    Does nothing in a process that was not started by `Lifeline.spawn`. Call it once, early, and
    not again after a fork.
    """
    descriptor = _given_pipe(os.environ.pop(LIFELINE, ""))  # its own children get another one
    if descriptor is None:
        return
    os.set_inheritable(descriptor, False)
    threading.Thread(
        target=_follow_parent, args=(descriptor, grace), name="lifeline", daemon=True
    ).start()


def _given_pipe(given: str) -> int | None:
    """The descriptor that the environment names, where it is a pipe and open here."""
    try:
        descriptor = int(given) if given.isdecimal() else -1
        return descriptor if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None
    except OSError:
        return None


def _follow_parent(descriptor: int, grace: float) -> None:
    os.read(descriptor, 1)  # nobody writes: this returns when the parent is gone
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(grace)
    os._exit(1)


@dataclass(slots=True)
class _Post:
    """A child's place: the process that fills it, or when to fill it again."""

    child: Child
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0  # monotonic seconds, like `due_at`
    due_at: float = 0.0
    failures: int = 0


class Supervisor:
    """Keeps children running until it is told to stop, then ends them.

    `grace`: seconds that the children have for finishing, before they are killed. At the top of a
    tree `run` returns when all of the tree has ended.
    """

    def __init__(self, children: Sequence[Child], *, grace: float = 30) -> None:
        self._posts = [_Post(child) for child in children]
        self._grace = grace
        self._lifeline = Lifeline()
        # A plain flag: an Event that a signal handler sets may meet its own lock, held.
        self._is_stopping = False

    def run(self) -> int:
        """Supervise until SIGTERM, SIGINT, SIGHUP or `stop`; only in the main thread.

        Returns 0 when every child then ended in good order, else 1.
        """
        with self._listening():
            while not self._is_stopping:
                for post in self._posts:
                    self._look_after(post)
                time.sleep(_LOOK_EVERY)
            return self._end()

    def stop(self) -> None:
        """End all children; `run` returns when they have ended. From any thread."""
        self._is_stopping = True

    @contextmanager
    def _listening(self) -> Iterator[None]:
        before = {number: signal.getsignal(number) for number in _STOP_SIGNALS}
        for number in _STOP_SIGNALS:
            signal.signal(number, lambda _number, _frame: self.stop())
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _look_after(self, post: _Post) -> None:
        if post.process is None:
            if time.monotonic() >= post.due_at:
                post.started_at = time.monotonic()
                post.process = self._lifeline.spawn(post.child)
        elif post.process.poll() is not None:
            self._note_end(post, post.process)

    def _note_end(self, post: _Post, process: "subprocess.Popen[bytes]") -> None:
        _kill_group(process)  # what it forked must not keep its port
        ended_at = time.monotonic()
        if ended_at - post.started_at >= _WELL_AFTER:
            post.failures = 0
        pause = min(_FIRST_PAUSE * 2**post.failures, _LONGEST_PAUSE)
        post.failures = min(post.failures + 1, 16)
        post.process, post.due_at = None, ended_at + pause
        log.warning(
            "process_ended_by_itself",
            process=post.child.name,
            status=process.returncode,
            starts_again_in=pause,
        )

    def _end(self) -> int:
        running = [(post.child.name, post.process) for post in self._posts if post.process]
        for _, process in running:
            process.terminate()
        ends_at = time.monotonic() + self._grace
        statuses = [_settle(name, process, ends_at) for name, process in running]
        self._lifeline.close()
        if not self._lifeline.wait_for_the_last(_PARENTLESS_GRACE * 1.5):
            log.error("processes_left_behind", why="They hold on, though their parents have ended.")
        return 0 if all(status in _CLEAN_ENDS for status in statuses) else 1


def supervise(children: Sequence[Child], *, grace: float = 30) -> int:
    """Run the children until told to stop; returns the exit status. See `Supervisor`."""
    return Supervisor(children, grace=grace).run()


def _settle(name: str, process: "subprocess.Popen[bytes]", ends_at: float) -> int:
    """Wait until `ends_at` for the child, kill it then; returns its status."""
    try:
        process.wait(max(0.0, ends_at - time.monotonic()))
    except subprocess.TimeoutExpired:
        log.warning("process_killed", process=name, why="It did not end in time.")
    _kill_group(process)
    return process.wait()


def _kill_group(process: "subprocess.Popen[bytes]") -> None:
    """End at once whatever is left of the child's session."""
    with suppress(ProcessLookupError, PermissionError):  # macOS says the latter of a zombie
        os.killpg(process.pid, signal.SIGKILL)
