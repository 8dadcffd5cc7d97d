"""(b) From rows of the outbox to a server on loopback, against Flask-Mail's own loop."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sqlalchemy import select
from sqlmodel import col, func, insert

from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import new_id
from kartramail.outbox.contents import store_content
from kartramail.outbox.models import Message, MessageState, SourceKind, Worker
from kartramail.rules.streams import Stream
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.letters import LETTERS, Letter, recipient
from tests.benchmarks.surroundings import DATABASES, ROOT, environment
from tests.support.domains import forget_domains
from tests.support.outbox import add_account
from tests.support.smtp_server import free_port

PEER = "Flask-Mail's loop"
CONNECTIONS = 32
"""Of our one process. Its messages are signed and its results on the disk, the peer's neither: what
a message waits for meanwhile is made up for by others that are under way."""
_LOOK_EVERY = 0.02
_PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class _Sink:
    name: str
    port: int


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether every target is met."""
    count = 300 if is_quick else 3_000
    is_met = True
    with ExitStack() as stack:
        sinks = [stack.enter_context(_aiosmtpd_sink())]
        postfix = stack.enter_context(_postfix_sink())
        sinks += [postfix] if postfix else []
        databases = {name: stack.enter_context(make()) for name, make in DATABASES.items()}
        for sink in sinks:
            for letter in LETTERS:
                is_met &= _compare(sink, letter, databases, rounds, count)
    return is_met


def _compare(
    sink: _Sink, letter: Letter, databases: dict[str, str], rounds: int, count: int
) -> bool:
    subjects: dict[str, Callable[[], float]] = {PEER: partial(_run_loop, sink, letter, count)}
    for kind, url in databases.items():
        subjects[f"KartraMail, {kind}"] = partial(_run_worker, url, sink, letter, count)
    rates = interleave(rounds, subjects)
    show_heading(
        f"(b) {count:,} messages ({letter.name}) to {sink.name}, {rounds} rounds; ours from rows "
        f"to `sent` rows, signed, one process with {CONNECTIONS} connections"
    )
    for name, values in rates.items():
        show_figure(name, values, "messages/s")
    ours = [name for name in rates if name != PEER]
    verdicts = [
        show_ratio(f"{name} / {PEER}", rates[name], rates[PEER], Bound.AT_LEAST, 1.0)
        for name in ours
    ]
    return all(verdicts)


# -- the peer ---------------------------------------------------------------------------------


def _run_loop(sink: _Sink, letter: Letter, count: int) -> float:
    """Messages a second of Flask-Mail's loop, without the start of its process."""
    argv = [sys.executable, "-m", "tests.benchmarks.flask_mail_loop", "--port", str(sink.port)]
    argv += ["--letter", letter.name, "--count", str(count)]
    done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return count / float(done.stdout)


# -- ours -------------------------------------------------------------------------------------


def _run_worker(url: str, sink: _Sink, letter: Letter, count: int) -> float:
    """Messages a second of a worker that waits for mail, from the commit of the rows on."""
    db = Database(url)
    try:
        with _worker(url, sink, db):
            _enqueue(db, letter, count)
            started = time.perf_counter()
            _wait_until(lambda: not _count_unfinished(db))
            took = time.perf_counter() - started
        _check_all_sent(db)
    finally:
        db.dispose()
    return count / took


@contextmanager
def _worker(url: str, sink: _Sink, db: Database) -> Iterator[None]:
    """`flask kartramail worker --processes 1`, ready; ended in good order."""
    settings = environment(
        url,
        mail_transport="relay",
        mail_server="127.0.0.1",
        mail_port=sink.port,
        worker_connections=CONNECTIONS,
    )
    argv = [sys.executable, "-m", "flask", "--app", str(ROOT / "app.py"), "kartramail", "worker"]
    argv += ["--processes", "1"]
    process = subprocess.Popen(argv, cwd=ROOT, env=settings, stderr=subprocess.DEVNULL)
    try:
        _wait_until(lambda: _count_workers(db) == 1)
        yield
    finally:
        process.terminate()
        process.wait(30)


def _enqueue(db: Database, letter: Letter, count: int) -> None:
    """The rows that the API would have written, in one transaction."""
    at = now()
    with db.transaction() as session:
        account_id = add_account(session)
    forget_domains(db)  # or the worker would make keys for it and look it up meanwhile
    with db.transaction() as session:
        content_id = store_content(session, account_id, letter.words())
        rows = [
            {
                "id": new_id(),
                "account_id": account_id,
                "stream": Stream.TRANSACTIONAL,
                "state": MessageState.QUEUED,
                "created_at": at,
                "due_at": at,
                "expires_at": at + timedelta(days=5),
                "tries": 0,
                "attempts": 0,
                "source_kind": SourceKind.API,
                "content_id": content_id,
                "to_addr": address,
                "to_key": address,
                "to_domain": "example.net",
                "variables": {"name": name, "number": number},
            }
            for number in range(count)
            for name, address in [recipient(number)]
        ]
        session.connection().execute(insert(Message), rows)


def _count_workers(db: Database) -> int:
    with db.reading() as session:
        return session.scalar(select(func.count()).select_from(Worker)) or 0


def _count_unfinished(db: Database) -> int:
    """Rows that wait or are held; both by small indexes, so that looking costs next to nothing."""
    waiting = select(col(Message.id)).where(col(Message.due_at).is_not(None)).limit(1)
    held = select(col(Message.id)).where(col(Message.worker_id).is_not(None)).limit(1)
    with db.reading() as session:
        return sum(session.execute(which).first() is not None for which in (waiting, held))


def _check_all_sent(db: Database) -> None:
    with db.reading() as session:
        states = set(session.scalars(select(col(Message.state)).distinct()))
    if states != {MessageState.SENT}:
        raise RuntimeError(f"Not every message was sent: {states}")


def _wait_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + _PATIENCE
    while not is_so():
        if time.monotonic() > end:
            raise RuntimeError(f"The worker was not done within {_PATIENCE:g} s.")
        time.sleep(_LOOK_EVERY)


# -- the sinks --------------------------------------------------------------------------------


@contextmanager
def _aiosmtpd_sink() -> Iterator[_Sink]:
    argv = [sys.executable, "-m", "tests.benchmarks.sink"]
    with _process(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        yield _Sink("aiosmtpd", int(process.stdout.readline()))


@contextmanager
def _postfix_sink() -> Iterator[_Sink | None]:
    """Postfix's test server, written in C, where the machine has it."""
    program = shutil.which("smtp-sink") or shutil.which("smtp-sink", path="/usr/sbin")
    if program is None:
        print("\nWithout smtp-sink (Debian's package postfix): measured against aiosmtpd only.")
        yield None
        return
    port = free_port()
    as_nobody = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to run as root
    with _process([program, *as_nobody, f"127.0.0.1:{port}", "64"]):
        _wait_until(lambda: _is_listening(port))
        yield _Sink("smtp-sink", port)


def _is_listening(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def _process(
    argv: list[str], stdout: int = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(argv, cwd=ROOT, stdout=stdout, stderr=subprocess.DEVNULL, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        if process.stdout is not None:
            process.stdout.close()
