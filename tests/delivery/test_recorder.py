"""Results are written down whatever they say, and only for the claim that they belong to."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.delivery.recorder import Recorder, Waiting
from kartramail.outbox.claims import claim
from kartramail.outbox.models import MessageState, Worker
from kartramail.outbox.results import Failed, Result
from kartramail.outbox.workers import reclaim, register_worker
from kartramail.rules.replies import Accepted, Deferred, Refused, Reply, Stage
from tests.support.engine import wait_until
from tests.support.outbox import add_account, add_messages, messages

OK = Accepted(250, "2.0.0 Ok", "127.0.0.1:25")
POISON = "a\ud800b\x00c"


class House:
    """A recorder on a database, with what it told."""

    def __init__(self, db: Database) -> None:
        self.lost = 0
        self.failures: list[BaseException] = []
        self.recorder = Recorder(
            db, on_lost=self._note_lost, on_failure=lambda _, error: self.failures.append(error)
        )

    def _note_lost(self) -> None:
        self.lost += 1

    def record_at_once(self, results: list[Result], worker_id: int) -> None:
        """All in one batch; returns when they are durable."""
        if not self.recorder._thread.is_alive():
            self.recorder.start()
        batch = [Waiting(result, worker_id) for result in results]
        self.recorder.record(batch)
        wait_until(lambda: self.recorder.is_free)
        assert self.recorder.take_written() == batch


@pytest.fixture
def house(db: Database) -> Iterator[House]:
    made = House(db)
    yield made
    if made.recorder._thread.is_alive():
        made.recorder.stop()


@pytest.mark.parametrize(
    ("poison", "state"),
    [
        (Accepted(250, POISON, "s"), MessageState.SENT),
        (Deferred(Stage.RCPT, 450, POISON, "s"), MessageState.DEFERRED),
        (Refused(Stage.RCPT, 550, POISON, "s"), MessageState.BOUNCED),
        (Failed(POISON), MessageState.FAILED),
    ],
    ids=lambda value: type(value).__name__,
)
def test_words_that_no_database_takes_keep_no_result_from_the_disk(
    db: Database, house: House, poison: Reply | Failed, state: MessageState
) -> None:
    with db.transaction() as session:
        worker = register_worker(session, "h", 1)
        ids = add_messages(session, add_account(session), 4)
        claim(session, worker, 10)
    outcomes = [OK, poison, OK, OK]
    results = [Result(i, outcome, None) for i, outcome in zip(ids, outcomes, strict=True)]
    house.record_at_once(results, worker)
    found = messages(db)
    assert [m.state for m in found] == [MessageState.SENT, state, *[MessageState.SENT] * 2]
    assert all(m.worker_id is None and m.reply for m in found)
    assert house.failures == []
    assert house.lost == 0


def test_a_failure_that_is_not_about_words_is_told(
    db: Database, house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> int:
        raise RuntimeError("no")

    monkeypatch.setattr("kartramail.delivery.recorder.write_results", fail)
    house.recorder.start()
    house.recorder.record([Waiting(Result(1, OK, None), 1)])
    house.recorder._thread.join(20)
    assert [str(error) for error in house.failures] == ["no"]
    assert house.recorder.take_written() == []


def test_a_late_answer_of_an_earlier_life_is_not_taken_for_one_of_this(
    db: Database, house: House
) -> None:
    """Fencing within one process, which has registered anew meanwhile."""
    with db.transaction() as session:
        (message_id,) = add_messages(session, add_account(session), 1)
        first = register_worker(session, "h", 1)
        claim(session, first, 1)
        session.connection().execute(update(Worker).values(heartbeat_at=now() - timedelta(hours=1)))
        assert reclaim(session, timedelta(seconds=15)) == 1
        second = register_worker(session, "h", 1)
        assert len(claim(session, second, 1)) == 1
    late = Deferred(Stage.END_OF_DATA, None, "late", "s", in_doubt=True)
    house.record_at_once([Result(message_id, late, None)], first)
    assert messages(db)[0].state is MessageState.SENDING
    assert house.lost == 1
    house.record_at_once([Result(message_id, OK, None)], second)
    assert messages(db)[0].state is MessageState.SENT
    assert house.lost == 1
