"""(i) One recipient domain in ten answers after five seconds: what the rest has of its rate.

The same rows to the same server twice, which once stalls for that domain at the final dot. What is
counted is the rest, from the commit of the rows until the last of the nine other domains is `sent`;
the stalled domain is delivered beside it either way. Nothing that was learnt about the domain in
one round is known in the next.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from sqlalchemy import Table, inspect
from sqlmodel import SQLModel

from kartramail.db import Database
from kartramail.outbox.models import MessageState
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.letters import LARGE
from tests.benchmarks.processes import NotDone
from tests.benchmarks.rows import domain_of, fill, forget_messages, make_account
from tests.benchmarks.sinks import Sink, stalling_sink
from tests.benchmarks.surroundings import DATABASES
from tests.benchmarks.workers import (
    check_all_sent,
    count_states,
    settle,
    wait_until_finished,
    working,
)

SECONDS, DOMAINS = 5.0, 10
SLOW = domain_of(0)
_PATIENCE = 60.0  # seconds for a round; what holds everything up is stopped then
_PROMPT, _STALLED = "the rest, while all answer", "the rest, while one in ten stalls"


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether both databases meet the target."""
    count = 5_000 if is_quick else 30_000  # so that the stall is a small part of the time
    verdicts = []
    with ExitStack() as stack:
        sinks = {
            _PROMPT: stack.enter_context(stalling_sink(SLOW, 0)),
            _STALLED: stack.enter_context(stalling_sink(SLOW, SECONDS)),
        }
        for kind, make in DATABASES.items():
            with make() as url:
                verdicts.append(_compare(kind, url, sinks, rounds, count))
    return all(verdicts)


def _compare(kind: str, url: str, sinks: dict[str, Sink], rounds: int, count: int) -> bool:
    db = Database(url)
    try:
        account_id = make_account(db)
        subjects: dict[str, Callable[[], float]] = {
            name: partial(_deliver, url, db, account_id, sink, count)
            for name, sink in sinks.items()
        }
        rates = interleave(rounds, subjects)
    finally:
        db.dispose()
    show_heading(
        f"(i) {count:,} messages of 10 kB to {DOMAINS} domains on {kind}, {rounds} rounds; one of "
        f"them answers after {SECONDS:g} s"
    )
    for name, values in rates.items():
        show_figure(name, values, "messages/s")
    return show_ratio("stalling / prompt", rates[_STALLED], rates[_PROMPT], Bound.AT_LEAST, 0.9)


def _deliver(url: str, db: Database, account_id: int, sink: Sink, count: int) -> float:
    """Messages a second to the nine other domains; of what was sent, where patience ran out."""
    with working(url, sink, db):
        settle()
        committed_at = fill(db, account_id, LARGE, count, DOMAINS)
        try:
            took = wait_until_finished(db, but_domain=SLOW, patience=_PATIENCE) - committed_at
        except NotDone:
            took = time.perf_counter() - committed_at
        sent = count_states(db, but_domain=SLOW)[MessageState.SENT]
    if took < _PATIENCE:
        check_all_sent(db, but_domain=SLOW)
    forget_messages(db)
    _forget_destinations(db)
    return sent / took


def _forget_destinations(db: Database) -> None:
    """What was learnt about recipient domains, where there is a table for it."""
    table: Table | None = SQLModel.metadata.tables.get("destination")
    if table is not None and inspect(db.engine).has_table("destination"):
        with db.transaction() as session:
            session.connection().execute(table.delete())
