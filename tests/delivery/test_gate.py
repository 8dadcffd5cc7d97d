"""The gate: at most one message a connection may go out twice (R-OUTBOX).

A connection puts the final dot of its next message on the wire only when the result of its last
one is durable. So where nothing can be written, the dots beyond what is written are at most one a
connection, whatever the server does, and however often connections are made anew.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.outbox.models import MessageState
from kartramail.outbox.results import write_results
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import OkThenDrop, Script, ScriptedServer, Slowly, TakeAndDrop

PIPELINING = ("8BITMIME", "SIZE 10000000", "PIPELINING")
CONNECTIONS = 3
MESSAGES = 40
QUIET = 0.5  # seconds without a dot: a message takes a hundredth of that

# The first answers take half a second, so that more than enough is claimed and built meanwhile.
SLOW_AT_FIRST: Script = {"end_of_data": [Slowly(0.02)] * CONNECTIONS}


@contextmanager
def locked(db: Database) -> Iterator[None]:
    """Nobody else can write a message; all can read."""
    if db.is_sqlite:
        with closing(sqlite3.connect(db.url.removeprefix("sqlite:///"), timeout=20)) as other:
            other.isolation_level = None
            other.execute("BEGIN EXCLUSIVE")
            yield
    else:
        with db.engine.connect() as connection:
            connection.execute(text("LOCK TABLE message IN EXCLUSIVE MODE"))
            yield


def written(db: Database) -> int:
    """Messages whose result is durable."""
    return sum(message.tries > 0 for message in messages(db))


def ids(server: ScriptedServer) -> Counter[str]:
    """How often each message came whole."""
    return Counter(message.mail_from for message in server.messages)


def watch_until_quiet(server: ScriptedServer, most: int) -> None:
    """Returns when no dot has come for a moment; fails as soon as there are more than `most`."""
    count, since = len(server.dots), time.monotonic()
    while time.monotonic() - since < QUIET:
        if len(server.dots) != count:
            count, since = len(server.dots), time.monotonic()
        assert count <= most, "a second final dot before the first result was durable"
        time.sleep(0.01)


@dataclass(frozen=True)
class World:
    """What the server does, and how many dots it has before the database is locked."""

    name: str
    script: Script
    dots: int = CONNECTIONS
    extensions: tuple[str, ...] = PIPELINING

    def __str__(self) -> str:
        return self.name


WORLDS = [
    World("pipelining", SLOW_AT_FIRST),
    World("one by one", SLOW_AT_FIRST, extensions=()),
    World("hangs up after each message", {"end_of_data": OkThenDrop()}, dots=9),
]


@pytest.fixture(autouse=True)
def _mail(db: Database) -> None:
    with db.transaction() as session:
        account_id = add_account(session)
        for number in range(MESSAGES):  # what one domain is spared is not asked here
            add_messages(session, account_id, 1, domain=f"to{number}.example")


@pytest.mark.parametrize("world", WORLDS, ids=str)
def test_what_cannot_be_written_down_holds_up_the_next_dot(
    db: Database, settings: Settings, world: World
) -> None:
    with (
        ScriptedServer(world.script, extensions=world.extensions) as server,
        running_engine(db, settings, server.port, connections=CONNECTIONS, timeout=30, lease=120),
    ):
        wait_until(lambda: len(server.dots) >= world.dots)
        with locked(db):
            watch_until_quiet(server, written(db) + CONNECTIONS)
            assert written(db) < len(server.dots) < MESSAGES
        wait_until(lambda: written(db) == MESSAGES)
    assert set(ids(server).values()) == {1}
    assert len(server.messages) == len(server.dots) == MESSAGES
    found = messages(db)
    assert {(m.state, m.tries, m.attempts) for m in found} == {(MessageState.SENT, 1, 1)}


def test_it_holds_where_the_database_says_that_it_is_locked(
    db: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As often as it is asked, instead of letting everybody wait."""
    refusals = []

    def write(*what: Any) -> int:
        try:
            return write_results(*what)
        except OperationalError as error:
            refusals.append(error)
            raise

    monkeypatch.setattr("kartramail.delivery.recorder.write_results", write)
    if db.is_sqlite:
        monkeypatch.setattr("kartramail.db._SQLITE_PATIENCE", 0)
    else:
        db.dispose()  # what is connected to was asked before

        @event.listens_for(db.engine, "connect")
        def be_impatient(connection: Any, _: object) -> None:
            connection.execute("SET lock_timeout = '50ms'")
            connection.commit()

    with (
        ScriptedServer(SLOW_AT_FIRST, extensions=PIPELINING) as server,
        running_engine(db, settings, server.port, connections=CONNECTIONS, timeout=30, lease=120),
    ):
        wait_until(lambda: len(server.dots) >= CONNECTIONS)
        with locked(db):
            before = written(db)
            wait_until(lambda: len(refusals) >= 4)
            watch_until_quiet(server, before + CONNECTIONS)
        wait_until(lambda: written(db) == MESSAGES, 60)
    assert set(ids(server).values()) == {1}
    assert len(server.messages) == MESSAGES


def test_it_holds_where_answers_get_lost(db: Database, settings: Settings) -> None:
    """What is in doubt counts as well, though its connection is gone and another one was made."""
    lost = 6
    script: Script = {"end_of_data": [TakeAndDrop()] * lost}
    with (
        ScriptedServer(script, extensions=PIPELINING) as server,
        running_engine(db, settings, server.port, connections=CONNECTIONS, timeout=30, lease=120),
    ):
        wait_until(lambda: len(server.dots) >= 1)
        with locked(db):
            watch_until_quiet(server, written(db) + CONNECTIONS)
        wait_until(lambda: written(db) == MESSAGES)
    assert set(ids(server).values()) == {1}
    in_doubt = [m for m in messages(db) if m.state is not MessageState.SENT]
    assert len(in_doubt) == lost
    assert all("in doubt" in (m.reply or "") and m.attempts == 1 for m in in_doubt)
