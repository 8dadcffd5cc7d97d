"""The database goes away for a moment: no row stays with a worker that does not know of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session

from kartramail.config import Settings
from kartramail.db import Database
from kartramail.delivery.loading import Loader
from kartramail.outbox.claims import Claimed, Claimer
from kartramail.outbox.models import MessageState
from tests.support.engine import running_engine, wait_until
from tests.support.outbox import add_account, add_messages, messages
from tests.support.smtp_server import SinkServer


class Flaky(Database):
    """A database that can be cut off, and can lose the answer to a COMMIT.

    `loses_result` is about what is written alone, as accepted messages are.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_away = threading.Event()
        self.loses_answer = threading.Event()
        self.loses_result = threading.Event()

    def _check(self) -> None:
        if self.is_away.is_set():
            raise OperationalError("", {}, Exception("server closed the connection"))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        self._check()
        with super().reading() as session:
            yield session

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        self._check()
        with super().transaction() as session:
            yield session
        self._lose(self.loses_answer)

    def execute_alone(self, statement: str, parameters: Any) -> int:
        self._check()
        count = super().execute_alone(statement, parameters)
        self._lose(self.loses_result)
        return count

    def _lose(self, answer: threading.Event) -> None:
        if answer.is_set():
            answer.clear()
            raise OperationalError("", {}, Exception("server closed the connection"))


@pytest.fixture
def flaky(db: Database) -> Iterator[Flaky]:
    with db.transaction() as session:
        add_messages(session, add_account(session), 50)
    made = Flaky(db.url)
    yield made
    made.dispose()


def test_rows_claimed_before_an_outage_are_sent_after_it(
    db: Database, flaky: Flaky, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    cuts, claim = [flaky.is_away], Claimer.claim

    def claim_and_cut(self: Claimer, session: Session, worker_id: int, limit: int) -> list[Claimed]:
        batch = claim(self, session, worker_id, limit)
        if batch and cuts:
            cuts.pop().set()
        return batch

    monkeypatch.setattr(Claimer, "claim", claim_and_cut)
    with SinkServer() as sink, running_engine(flaky, settings, sink.port, lease=15):
        assert flaky.is_away.wait(20)
        flaky.is_away.clear()
        wait_until(lambda: {m.state for m in messages(db)} == {MessageState.SENT}, 30)
    assert len(sink.messages) == 50
    assert {(m.attempts, m.deaths) for m in messages(db)} == {(1, 0)}


def test_rows_that_could_not_be_given_back_are_given_back_later(
    db: Database, flaky: Flaky, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut off between the claim and all that follows it, the giving back as well."""
    load = Loader.load
    cuts = [flaky.is_away]

    def cut_and_load(self: Loader, *args: object) -> object:
        if cuts:
            cuts.pop().set()
            threading.Timer(0.5, flaky.is_away.clear).start()
        return load(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Loader, "load", cut_and_load)
    with SinkServer() as sink, running_engine(flaky, settings, sink.port, lease=15):
        wait_until(lambda: {m.state for m in messages(db)} == {MessageState.SENT}, 30)
    assert len(sink.messages) == 50
    assert {m.deaths for m in messages(db)} == {0}


def test_an_outage_while_rows_are_loaded_one_by_one_leaves_none_behind(
    db: Database, flaky: Flaky, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One row cannot be loaded with the others; in the middle of them the database goes away."""
    load, loaded = Loader.load, list[int]()
    faults: dict[int, Exception] = {3: OperationalError("", {}, Exception("closed"))}

    def fail_and_load(self: Loader, db: Database, batch: list[Claimed], worker: int) -> object:
        loaded.append(len(batch))
        if len(loaded) == 1:
            assert len(batch) > 4
            raise ValueError("one of these cannot be loaded")
        if fault := faults.pop(len(loaded), None):
            raise fault
        return load(self, db, batch, worker)

    monkeypatch.setattr(Loader, "load", fail_and_load)
    with SinkServer() as sink, running_engine(flaky, settings, sink.port, lease=15):
        wait_until(lambda: {m.state for m in messages(db)} == {MessageState.SENT}, 30)
    assert len(sink.messages) == 50
    assert {m.deaths for m in messages(db)} == {0}


def test_a_schema_that_is_not_ours_for_a_moment_ends_no_message(
    db: Database, flaky: Flaky, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while an installation is brought to another version: no message is to blame for that."""
    load, has_failed = Loader.load, threading.Event()

    def load_and_tell(self: Loader, *args: object) -> object:
        try:
            return load(self, *args)  # type: ignore[arg-type]
        except DBAPIError:
            has_failed.set()
            raise

    monkeypatch.setattr(Loader, "load", load_and_tell)
    with SinkServer() as sink, _renamed(db, "subject", "topic"):
        with running_engine(flaky, settings, sink.port, lease=15):
            assert has_failed.wait(20)
        assert {m.state for m in messages(db)} == {MessageState.QUEUED}
    with SinkServer() as sink, running_engine(flaky, settings, sink.port, lease=15):
        wait_until(lambda: {m.state for m in messages(db)} == {MessageState.SENT}, 30)
    assert {(m.attempts, m.deaths) for m in messages(db)} == {(1, 0)}


@contextmanager
def _renamed(db: Database, name: str, other: str) -> Iterator[None]:
    """A column of contents has another name meanwhile."""

    def rename(old: str, new: str) -> None:
        with db.transaction() as session:
            session.connection().execute(text(f"ALTER TABLE content RENAME {old} TO {new}"))

    rename(name, other)
    try:
        yield
    finally:
        rename(other, name)


def test_a_result_whose_answer_was_lost_is_neither_lost_nor_written_twice(
    db: Database, flaky: Flaky, settings: Settings
) -> None:
    flaky.loses_result.set()
    with SinkServer() as sink, running_engine(flaky, settings, sink.port, lease=15):
        wait_until(lambda: {m.state for m in messages(db)} == {MessageState.SENT}, 30)
    assert not flaky.loses_result.is_set()
    assert len(sink.messages) == 50
    assert {(m.attempts, m.deaths) for m in messages(db)} == {(1, 0)}


def test_results_wait_for_a_database_that_is_away(
    db: Database, flaky: Flaky, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries, execute = [], flaky.execute_alone

    def go_away_and_execute(statement: str, parameters: Any) -> int:
        if not tries:
            flaky.is_away.set()
        tries.append(statement)
        return execute(statement, parameters)

    monkeypatch.setattr(flaky, "execute_alone", go_away_and_execute)
    with SinkServer() as sink, running_engine(flaky, settings, sink.port, lease=60):
        wait_until(lambda: len(tries) >= 3)
        assert not any(m.state is MessageState.SENT for m in messages(db))
        flaky.is_away.clear()
        wait_until(lambda: {m.state for m in messages(db)} == {MessageState.SENT}, 30)
    assert len(sink.messages) == 50
    assert {(m.attempts, m.deaths) for m in messages(db)} == {(1, 0)}


def test_a_claim_whose_answer_was_lost_is_not_lost(
    db: Database, flaky: Flaky, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses, claim = [flaky.loses_answer], Claimer.claim

    def claim_and_lose(
        self: Claimer, session: Session, worker_id: int, limit: int
    ) -> list[Claimed]:
        batch = claim(self, session, worker_id, limit)
        if batch and losses:
            losses.pop().set()
        return batch

    monkeypatch.setattr(Claimer, "claim", claim_and_lose)
    with SinkServer() as sink, running_engine(flaky, settings, sink.port, lease=15):
        wait_until(lambda: {m.state for m in messages(db)} == {MessageState.SENT}, 30)
    assert len(sink.messages) == 50
    assert {(m.attempts, m.deaths) for m in messages(db)} == {(1, 0)}
