"""Whatever works is killed while mail leaves; `make chaos` is the same at length."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kartramail.outbox.models import MessageState
from tests.chaos.databases import postgresql, sqlite_url
from tests.chaos.outcome import Outcome
from tests.chaos.plan import Aim, Plan, Victim
from tests.chaos.run import run_chaos

MESSAGES = 400


def check(outcome: Outcome) -> None:
    assert outcome.broken_promises() == []
    assert outcome.tally.states == Counter({MessageState.SENT: outcome.plan.messages})


def test_workers_killed_at_any_moment_lose_nothing(database_url: str) -> None:
    outcome = run_chaos(database_url, Plan(MESSAGES, {Victim.WORKER: 3}))
    check(outcome)
    assert outcome.kills_while_sending >= 2  # the others prove little


def test_a_supervisor_killed_loses_nothing_and_leaves_nobody_behind(database_url: str) -> None:
    outcome = run_chaos(database_url, Plan(MESSAGES, {Victim.SUPERVISOR: 1}))
    check(outcome)
    assert len(outcome.ends.orphans) == outcome.plan.workers  # all of which had to notice


def test_what_the_web_accepted_arrives_once_though_the_web_is_killed(database_url: str) -> None:
    kills = {Victim.WEB_WORKER: 2, Victim.WEB_MASTER: 1}
    outcome = run_chaos(database_url, Plan(MESSAGES, kills, by_web=60))
    check(outcome)
    assert outcome.tally.api.accepted == 60


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_workers_killed_at_their_results_lose_none(kind: str) -> None:
    aims = (Aim.IN_DOUBT, Aim.WRITING)
    with _own_database(kind) as url:
        outcome = run_chaos(url, Plan(600, {Victim.WORKER: 2}, aims=aims))
    check(outcome)
    assert outcome.kills_in_doubt + outcome.kills_while_writing >= 1  # the others prove little
    assert outcome.longest_held > 0  # somebody looked


@contextmanager
def _own_database(kind: str) -> Iterator[str]:
    """Not that of all tests: a server that is reached by TCP tells who writes."""
    if kind == "sqlite":
        with sqlite_url() as url:
            yield url
        return
    with postgresql() as server:
        yield server.url


def test_a_database_server_that_dies_loses_nothing() -> None:
    with postgresql() as server:
        check(run_chaos(server.url, Plan(MESSAGES, {Victim.WORKER: 2}, server=server)))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_four_workers_send_nothing_twice(database_url: str) -> None:
    """A lease that no busy machine can lose: a copy could come of nothing but a double claim."""
    outcome = run_chaos(database_url, Plan(1_000, workers=4, lease=60))
    check(outcome)
    assert outcome.copies == 0
