"""Rounds: each is run by one worker at a time, when it is due, and survives its own failure."""

from datetime import timedelta

import pytest
from sqlmodel import select, update

from kartramail.clock import now
from kartramail.installation import Installation
from kartramail.outbox.models import RoundState
from kartramail.rounds import Round
from kartramail.worker.process import ROUNDS
from kartramail.worker.rounds import finish_round, run_due_rounds, take_round


def a_round(ran: list[str], name: str = "count") -> Round:
    return Round(name, timedelta(hours=1), lambda _: ran.append(name))


def test_a_round_runs_when_it_is_due_and_not_before(installation: Installation) -> None:
    ran: list[str] = []
    assert run_due_rounds(installation, [a_round(ran)]) == ["count"]
    assert run_due_rounds(installation, [a_round(ran)]) == []
    with installation.db.transaction() as session:
        session.connection().execute(update(RoundState).values(due_at=now()))
    run_due_rounds(installation, [a_round(ran)])
    assert ran == ["count", "count"]


def test_two_workers_never_run_the_same_round(installation: Installation) -> None:
    round_ = a_round([])
    with installation.db.transaction() as session:
        assert take_round(session, round_)
        assert not take_round(session, round_)
        finish_round(session, round_)
        assert not take_round(session, round_)


def test_what_a_dead_worker_began_is_taken_up(installation: Installation) -> None:
    round_ = a_round([])
    with installation.db.transaction() as session:
        take_round(session, round_)
        session.connection().execute(update(RoundState).values(lease_until=now()))
        assert take_round(session, round_)


@pytest.mark.parametrize("name", ["due_at", "lease_until"])
def test_a_clock_that_was_set_back_stops_no_round(installation: Installation, name: str) -> None:
    round_ = a_round([])
    far = now() + timedelta(days=1)
    with installation.db.transaction() as session:
        assert take_round(session, round_)
        values = {"due_at": now(), "lease_until": None} | {name: far}
        session.connection().execute(update(RoundState).values(values))
        assert take_round(session, round_)


def test_a_failing_round_stops_nothing(installation: Installation) -> None:
    ran: list[str] = []

    def fail(_: Installation) -> None:
        raise RuntimeError("no")

    rounds = [Round("fails", timedelta(hours=1), fail), a_round(ran)]
    assert run_due_rounds(installation, rounds) == ["count"]
    with installation.db.reading() as session:
        states = session.exec(select(RoundState)).all()
    assert {state.name for state in states} == {"fails", "count"}
    assert all(state.lease_until is None and state.due_at > now() for state in states)


def test_every_real_round_runs_on_an_empty_installation(installation: Installation) -> None:
    assert set(run_due_rounds(installation, ROUNDS)) == {round_.name for round_ in ROUNDS}
