"""Workers and the database are killed while mail leaves; `make chaos` is the same at length."""

from collections import Counter

import pytest

from kartramail.outbox.models import MessageState
from tests.chaos.databases import postgresql
from tests.chaos.run import Outcome, Plan, run_chaos

MESSAGES = 600
KILLS = 4
PAUSE = 0.02  # so few messages would be gone before anybody is killed


def check(outcome: Outcome) -> None:
    assert outcome.broken_promises() == []
    assert outcome.states == Counter({MessageState.SENT: outcome.plan.messages})


def test_workers_killed_at_any_moment_lose_nothing(database_url: str) -> None:
    outcome = run_chaos(database_url, Plan(MESSAGES, KILLS, pause=PAUSE))
    check(outcome)
    assert outcome.kills_while_sending >= KILLS // 2  # the others prove little


def test_a_database_server_that_dies_loses_nothing() -> None:
    with postgresql() as server:
        check(run_chaos(server.url, Plan(MESSAGES, kills=2, pause=PAUSE, server=server)))


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_four_workers_send_nothing_twice(database_url: str) -> None:
    """A lease that no busy machine can lose: a copy could come of nothing but a double claim."""
    plan = Plan(1_500, kills=0, workers=4, lease=60, pause=PAUSE)
    outcome = run_chaos(database_url, plan)
    check(outcome)
    assert outcome.copies == 0
    assert len({arrival.helo for arrival in outcome.arrivals}) == 4  # each had its share
