"""(c) Giving a generated address with one and with a million taken names."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from sqlalchemy import insert, text
from sqlmodel import Session

from kartramail.accounts.models import Account
from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import new_id
from kartramail.rules.placeholders import candidates
from kartramail.senders.models import Placeholder
from kartramail.senders.placeholders import give_placeholder
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.surroundings import DATABASES

BUSINESS, PLATFORM = "Doe Inc.", "kartra.com"
FEW, MANY = 1, 1_000_000
_SUFFIXES = 200_000  # of the taken names, those with a suffix of the very same business name
_BATCH = 20_000


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether both databases meet the target."""
    many = 50_000 if is_quick else MANY
    count = 200 if is_quick else 1_000
    is_met = True
    for kind, make in DATABASES.items():
        with ExitStack() as stack:
            few = Database(stack.enter_context(make()))
            full = Database(stack.enter_context(make()))
            stack.callback(few.dispose)
            stack.callback(full.dispose)
            is_met &= _compare(kind, {FEW: few, many: full}, rounds, count)
    return is_met


def _compare(kind: str, databases: dict[int, Database], rounds: int, count: int) -> bool:
    subjects: dict[str, Callable[[], float]] = {}
    for taken, db in databases.items():
        fresh = _fill(db, taken, count)
        subjects[f"{taken:,} taken"] = partial(_give, db, fresh)
        subjects[f"{taken:,} taken"]()
    rates = interleave(rounds, subjects)
    few, full = rates
    show_heading(
        f"(c) Placeholders of one popular name on {kind}: {rounds} rounds of {count} in one "
        "transaction"
    )
    for name, values in rates.items():
        show_figure(name, values, "µs each", ".1f")
    return show_ratio(f"{full} / {few}", rates[full], rates[few], Bound.AT_MOST, 1.1)


def _fill(db: Database, taken: int, count: int) -> list[int]:
    """Take that many names, the plain one first; returns fresh accounts that have none."""
    with db.transaction() as session:
        accounts = [new_id() for _ in range(taken + count)]
        for start in range(0, len(accounts), _BATCH):
            rows = [
                {"id": number, "business_name": BUSINESS, "created_at": now()}
                for number in accounts[start : start + _BATCH]
            ]
            session.connection().execute(insert(Account), rows)
        names = _taken_names(taken)
        for start in range(0, taken, _BATCH):
            rows = [
                {"local": name, "account_id": number, "created_at": now()}
                for name, number in zip(
                    names[start : start + _BATCH], accounts[start : start + _BATCH], strict=False
                )
            ]
            session.connection().execute(insert(Placeholder), rows)
        session.connection().execute(text("ANALYZE"))
    return accounts[taken:]


def _taken_names(taken: int) -> list[str]:
    """The popular name, its suffixes, and then those of other businesses."""
    popular = min(taken, _SUFFIXES)
    supply = candidates(BUSINESS, PLATFORM)
    names: dict[str, None] = {}
    while len(names) < popular:
        names[next(supply)] = None
    return [*names, *(f"business-{number}" for number in range(taken - popular))]


def _give(db: Database, accounts: list[int]) -> float:
    """Microseconds for one placeholder; all of them are taken back."""
    with Session(db.engine.execution_options(begins_immediate=True)) as session:
        session.connection()
        started = time.perf_counter()
        for account_id in accounts:
            give_placeholder(session, account_id, BUSINESS, PLATFORM)
        took = time.perf_counter() - started
        session.rollback()
    return took / len(accounts) * 1e6
