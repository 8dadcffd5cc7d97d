"""Reminders leave when their time has come: each once, whatever ends a process (R-EVENT)."""

import subprocess
import sys
import threading
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import update

from kartramail.accounts.models import Account
from kartramail.assets import rounds
from kartramail.assets.models import ScheduledEvent
from kartramail.assets.rounds import forget_past_reminders, release_due_reminders
from kartramail.clock import now
from kartramail.config import ROOT, Settings
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.outbox.contents import load_contents
from kartramail.outbox.models import EventKind, MessageState, SourceKind
from tests.support.cast import Actor
from tests.support.events import (
    EVERYWHERE,
    add_asset,
    change,
    events_of,
    fire,
    in_hours,
    make_due,
    reminders,
)
from tests.support.outbox import messages

MANY = 120


@pytest.fixture
def calendar(db: Database, alice: Actor) -> int:
    found = add_asset(db, alice.account_id)
    change(db, alice.account_id, "calendar.booked", EVERYWHERE, enabled=False)
    return found


def book(installation: Installation, alice: Actor, calendar: int, n: int = 0) -> None:
    fire(
        installation,
        alice.account_id,
        calendar,
        "calendar.booked",
        contact={"email": f"r{n}@example.net"},
        starts_at=in_hours(100),
        key=str(n),
    )


def book_many(installation: Installation, db: Database, alice: Actor, calendar: int) -> None:
    for n in range(MANY):
        book(installation, alice, calendar, n)
    make_due(db)


def assert_each_left_once(db: Database) -> None:
    assert Counter(each.to_addr for each in messages(db)) == {
        f"r{n}@example.net": 1 for n in range(MANY)
    }
    assert sorted(row.message_ids[0] for row in reminders(db)) == [each.id for each in messages(db)]
    assert {row.due_at for row in reminders(db)} == {None}


def test_nothing_leaves_before_its_time(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar)
    assert release_due_reminders(installation) == 0
    assert messages(db) == []


def test_a_due_one_goes_into_the_outbox_with_its_time_in_words(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    with db.transaction() as session:
        session.connection().execute(update(Account).values(time_zone="Europe/Berlin"))
    book(installation, alice, calendar)
    make_due(db)
    assert release_due_reminders(installation) == 1
    (message,) = messages(db)
    assert (message.source_kind, message.type) == (SourceKind.NOTIFICATION, "calendar.reminder")
    assert (message.asset_id, message.state) == (calendar, MessageState.QUEUED)
    variables = message.variables or {}
    assert variables["contact"] == {"email": "r0@example.net"}
    assert variables["starts_at"].endswith(("(CET)", "(CEST)"))
    (row,) = reminders(db)
    assert (row.due_at, row.message_ids) == (None, [message.id])
    assert release_due_reminders(installation) == 0
    assert len(messages(db)) == 1


def test_words_and_switch_are_those_of_the_moment_it_leaves(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar, 1)
    change(db, alice.account_id, "calendar.reminder", calendar, subject="Tomorrow, then")
    make_due(db)
    release_due_reminders(installation)
    (message,) = messages(db)
    assert message.content_id is not None
    with db.reading() as session:
        words = load_contents(session, {message.content_id})[message.content_id]
    assert words[0] == "Tomorrow, then"
    book(installation, alice, calendar, 2)
    change(db, alice.account_id, "calendar.reminder", calendar, enabled=False)
    make_due(db)
    release_due_reminders(installation)
    assert len(messages(db)) == 1


def test_what_began_meanwhile_is_noted_and_not_sent(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    """No worker ran for days."""
    book(installation, alice, calendar)
    make_due(db, starts_in=timedelta(hours=-1))
    release_due_reminders(installation)
    (message,) = messages(db)
    assert (message.state, message.due_at) == (MessageState.CANCELLED, None)
    (event,) = events_of(db, message.id)
    assert event.kind is EventKind.CANCELLED
    assert "had begun" in event.detail["words"]
    forget_past_reminders(installation)
    assert reminders(db) == []


def test_one_that_no_server_took_in_time_is_called_back(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar)
    make_due(db)
    release_due_reminders(installation)
    forget_past_reminders(installation)
    assert len(reminders(db)) == 1
    with db.transaction() as session:
        session.connection().execute(update(ScheduledEvent).values(starts_at=now()))
    forget_past_reminders(installation)
    assert [each.state for each in messages(db)] == [MessageState.CANCELLED]
    assert reminders(db) == []


def test_an_account_that_is_gone_sends_none(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book(installation, alice, calendar)
    make_due(db)
    with db.transaction() as session:
        session.connection().execute(update(Account).values(deleted_at=now()))
    release_due_reminders(installation)
    assert messages(db) == []
    assert release_due_reminders(installation) == 0


def test_more_than_a_batch_leaves_by_several_at_once_each_once(
    installation: Installation, db: Database, alice: Actor, calendar: int
) -> None:
    book_many(installation, db, alice, calendar)
    released: list[int] = []
    barrier = threading.Barrier(4)

    def run() -> None:
        barrier.wait()
        released.append(release_due_reminders(installation))

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    release_due_reminders(installation)  # what those left to each other at the very end
    assert_each_left_once(db)


DIES = """
import os, signal
from kartramail.assets import rounds
from kartramail.config import load_settings
from kartramail.installation import Installation

put, calls = rounds.enqueue_letters, []

def put_and_die(*arguments):
    calls.append(put(*arguments))
    if len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return calls[-1]

rounds.enqueue_letters = put_and_die
rounds.release_due_reminders(Installation.of(load_settings()))
"""


def test_a_killed_process_loses_nothing_and_doubles_nothing(
    installation: Installation, db: Database, alice: Actor, calendar: int, settings: Settings
) -> None:
    """kill -9 between the messages and the commit of the second batch."""
    book_many(installation, db, alice, calendar)
    environment = {
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key.get_secret_value(),
        "MASTER_KEYS": settings.master_keys.get_secret_value(),
    }
    killed = subprocess.run([sys.executable, "-c", DIES], cwd=ROOT, env=environment, check=False)
    assert killed.returncode == -9
    assert 0 < len(messages(db)) < MANY
    release_due_reminders(installation)
    assert_each_left_once(db)


def test_one_that_fails_keeps_no_other(
    installation: Installation,
    db: Database,
    alice: Actor,
    calendar: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for n in range(3):
        book(installation, alice, calendar, n)
    make_due(db)
    letters_for = rounds.letters_for

    def fail_for_one(*arguments: Any) -> Any:
        if arguments[3].contact["email"] == "r1@example.net":
            raise RuntimeError("no")
        return letters_for(*arguments)

    monkeypatch.setattr(rounds, "letters_for", fail_for_one)
    assert release_due_reminders(installation) == 2
    assert {each.to_addr for each in messages(db)} == {"r0@example.net", "r2@example.net"}
    (left,) = [row for row in reminders(db) if row.due_at is not None]
    assert left.due_at > now()
    monkeypatch.setattr(rounds, "letters_for", letters_for)
    make_due(db)
    release_due_reminders(installation)
    assert len(messages(db)) == 3
