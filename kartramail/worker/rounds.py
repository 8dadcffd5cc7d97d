"""The rounds of all features, run by whichever worker is first. Crosses accounts by its nature."""

import threading
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import or_
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, update

from kartramail.clock import now
from kartramail.installation import Installation
from kartramail.outbox.models import RoundState
from kartramail.rounds import Round

log = structlog.get_logger()

_LOOK_EVERY = 5.0


def take_round(session: Session, round_: Round) -> bool:
    """Whether this process may run the round now: it is due, and nobody else is at it.

    A time that is far ahead was written before a clock was set back, and would never come.
    """
    at = now()
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    session.connection().execute(
        dialect.insert(RoundState).values(name=round_.name, due_at=at).on_conflict_do_nothing()
    )
    taken = session.connection().execute(
        update(RoundState)
        .where(
            col(RoundState.name) == round_.name,
            _is_over(col(RoundState.due_at), at, round_.every),
            or_(
                col(RoundState.lease_until).is_(None),
                _is_over(col(RoundState.lease_until), at, round_.lease),
            ),
        )
        .values(lease_until=at + round_.lease)
    )
    return taken.rowcount == 1


def _is_over(moment: Any, at: datetime, longest: timedelta) -> Any:
    """It is past, or more than twice as far ahead as it is ever set: clocks differ a little."""
    return or_(moment <= at, moment > at + 2 * longest)


def finish_round(session: Session, round_: Round) -> None:
    """The round is due again after its time."""
    session.connection().execute(
        update(RoundState)
        .where(col(RoundState.name) == round_.name)
        .values(lease_until=None, due_at=now() + round_.every)
    )


def run_due_rounds(installation: Installation, rounds: Sequence[Round]) -> list[str]:
    """Run what is due, one after the other; returns the names. A failing one is tried next time."""
    done = []
    for round_ in rounds:
        with installation.db.transaction() as session:
            is_mine = take_round(session, round_)
        if not is_mine:
            continue
        try:
            round_.run(installation)
        except Exception as error:
            log.error("round_failed", round=round_.name, exc_info=error)
        else:
            done.append(round_.name)
        with installation.db.transaction() as session:
            finish_round(session, round_)
    return done


def keep_rounds(
    installation: Installation, rounds: Sequence[Round], stopping: threading.Event
) -> None:
    """Look every few seconds until told to stop."""
    while not stopping.wait(_LOOK_EVERY):
        try:
            run_due_rounds(installation, rounds)
        except Exception as error:
            log.error("rounds_failed", exc_info=error)
