"""(b) From rows of the outbox to a server on loopback, against Flask-Mail's own loop."""

import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from kartramail.db import Database
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.letters import LETTERS, Letter
from tests.benchmarks.rows import fill, make_account
from tests.benchmarks.sinks import Sink, aiosmtpd_sink, postfix_sink
from tests.benchmarks.surroundings import DATABASES, ROOT
from tests.benchmarks.workers import check_all_sent, wait_until_finished, working

PEER = "Flask-Mail's loop"
CONNECTIONS = 32
"""Of our one process. Its messages are signed and its results on the disk, the peer's neither: what
a message waits for meanwhile is made up for by others that are under way."""


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether every target is met."""
    count = 300 if is_quick else 3_000
    is_met = True
    with ExitStack() as stack:
        sinks = [stack.enter_context(aiosmtpd_sink())]
        postfix = stack.enter_context(postfix_sink())
        sinks += [postfix] if postfix else []
        if not postfix:
            print("\nWithout smtp-sink (Debian's package postfix): measured against aiosmtpd only.")
        databases = {name: stack.enter_context(make()) for name, make in DATABASES.items()}
        for sink in sinks:
            for letter in LETTERS:
                is_met &= _compare(sink, letter, databases, rounds, count)
    return is_met


def _compare(
    sink: Sink, letter: Letter, databases: dict[str, str], rounds: int, count: int
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


def _run_loop(sink: Sink, letter: Letter, count: int) -> float:
    """Messages a second of Flask-Mail's loop, without the start of its process."""
    argv = [sys.executable, "-m", "tests.benchmarks.flask_mail_loop", "--port", str(sink.port)]
    argv += ["--letter", letter.name, "--count", str(count)]
    done = subprocess.run(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return count / float(done.stdout)


# -- ours -------------------------------------------------------------------------------------


def _run_worker(url: str, sink: Sink, letter: Letter, count: int) -> float:
    """Messages a second of a worker that waits for mail, from the commit of the rows on."""
    db = Database(url)
    try:
        account_id = make_account(db)
        with working(url, sink, db, processes=1, connections=CONNECTIONS):
            committed_at = fill(db, account_id, letter, count)
            took = wait_until_finished(db) - committed_at
        check_all_sent(db)
    finally:
        db.dispose()
    return count / took
