"""Claims and fencing (R-OUTBOX), on both databases."""

from datetime import timedelta

import pytest
from sqlmodel import Session, select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox.claims import (
    beat,
    claim,
    measure_queue,
    reclaim,
    register_worker,
    release,
    sign_off,
)
from kartramail.outbox.models import Attempt, Message, MessageState, Worker
from kartramail.outbox.results import Failed, Result, record_results
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from kartramail.rules.streams import Stream
from tests.support.outbox import add_account, add_messages, messages

OK = Accepted(250, "2.0.0 Ok", "127.0.0.1:25")


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def a_worker(session: Session) -> int:
    return register_worker(session, "test", 1)


def test_two_workers_never_hold_the_same_row(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 30)
        first, second = a_worker(session), a_worker(session)
        one = {m.id for m in claim(session, first, 20)}
        two = {m.id for m in claim(session, second, 20)}
    assert len(one) == 20
    assert len(two) == 10
    assert not one & two


def test_transactional_goes_first(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 5, stream=Stream.COMMERCIAL)
        add_messages(session, account_id, 5, stream=Stream.TRANSACTIONAL)
        claimed = claim(session, a_worker(session), 7)
    assert [m.stream for m in claimed] == [Stream.TRANSACTIONAL] * 5 + [Stream.COMMERCIAL] * 2


def test_a_message_for_later_stays(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 1, due_at=now() + timedelta(minutes=1))
        assert claim(session, a_worker(session), 10) == []


def test_accepted_is_written_with_the_servers_words(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, OK, None)])
    (message,) = messages(db)
    assert message.state is MessageState.SENT
    assert (message.reply, message.server) == ("250 2.0.0 Ok", "127.0.0.1:25")
    assert (message.attempts, message.tries) == (1, 1)
    assert message.worker_id is None
    assert message.due_at is None
    assert message.sent_at is not None


def test_deferred_waits_about_a_minute_and_costs_an_attempt(db: Database, account_id: int) -> None:
    reply = Deferred(Stage.RCPT, 450, "4.2.0 greylisted", "mx:25")
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, reply, None)])
    (message,) = messages(db)
    assert message.state is MessageState.DEFERRED
    assert message.attempts == 1
    assert message.due_at is not None
    assert timedelta(seconds=40) < message.due_at - now() < timedelta(seconds=80)
    with db.reading() as session:
        (attempt,) = session.exec(select(Attempt)).all()
    assert (attempt.n, attempt.stage, attempt.code) == (1, "rcpt", 450)
    assert attempt.reply == "450 4.2.0 greylisted"


def test_a_connection_that_cannot_be_made_is_free(db: Database, account_id: int) -> None:
    reply = Deferred(Stage.CONNECT, None, "Connection refused", "mx:25")
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, reply, None)])
    (message,) = messages(db)
    assert (message.attempts, message.tries) == (0, 1)
    assert message.state is MessageState.DEFERRED


def test_refused_ends_it(db: Database, account_id: int) -> None:
    reply = Refused(Stage.RCPT, 550, "5.1.1 unknown", "mx:25")
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, reply, None)])
    (message,) = messages(db)
    assert message.state is MessageState.BOUNCED
    assert message.due_at is None
    assert message.reply == "550 5.1.1 unknown"


def test_a_message_that_cannot_be_built_fails(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, Failed("no template"), None)])
    (message,) = messages(db)
    assert (message.state, message.reply) == (MessageState.FAILED, "no template")


def test_deferral_past_the_end_of_its_life_fails_it(db: Database, account_id: int) -> None:
    reply = Deferred(Stage.RCPT, 450, "4.2.0 greylisted", "mx:25")
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(
            session, account_id, 1, expires_at=now() + timedelta(seconds=10)
        )
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, reply, None)])
    (message,) = messages(db)
    assert message.state is MessageState.FAILED
    assert message.due_at is None


@pytest.mark.parametrize(
    "outcome",
    [
        OK,
        Deferred(Stage.RCPT, 450, "4.2.0 greylisted", "mx:25"),
        Refused(Stage.RCPT, 550, "5.1.1 unknown", "mx:25"),
        Failed("no template"),
    ],
)
def test_a_late_result_of_a_worker_that_lost_its_rows_is_not_taken(
    db: Database, account_id: int, outcome: Accepted | Deferred | Refused | Failed
) -> None:
    with db.transaction() as session:
        late, other = a_worker(session), a_worker(session)
        (message_id,) = add_messages(session, account_id, 1)
        claim(session, late, 1)
        _age(session, late)
        assert reclaim(session, timedelta(seconds=15)) == 1
        assert len(claim(session, other, 1)) == 1
        record_results(session, late, [Result(message_id, outcome, None)])
    (message,) = messages(db)
    assert (message.state, message.worker_id) == (MessageState.SENDING, other)


def _age(session: Session, worker_id: int) -> None:
    session.connection().execute(
        update(Worker)
        .where(Worker.id == worker_id)  # type: ignore[arg-type]
        .values(heartbeat_at=now() - timedelta(minutes=1))
    )


def test_what_a_dead_worker_held_is_due_again_and_cost_an_attempt(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        dead, alive = a_worker(session), a_worker(session)
        add_messages(session, account_id, 3)
        claim(session, dead, 2)
        claim(session, alive, 1)
        _age(session, dead)
        assert reclaim(session, timedelta(seconds=15)) == 2
        assert not beat(session, dead)
        assert beat(session, alive)
    states = [(m.state, m.attempts) for m in messages(db)]
    assert states == [(MessageState.DEFERRED, 1)] * 2 + [(MessageState.SENDING, 0)]
    assert all(m.due_at is not None and m.due_at <= now() for m in messages(db)[:2])


def test_a_message_that_kills_its_workers_waits_longer_and_then_fails(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        (message_id,) = add_messages(session, account_id, 1)
        for _ in range(4):
            worker = a_worker(session)
            _make_due(session, message_id)
            claim(session, worker, 1)
            _age(session, worker)
            reclaim(session, timedelta(seconds=15))
    (message,) = messages(db)
    assert message.attempts == 4
    assert message.due_at is not None
    assert message.due_at > now() + timedelta(minutes=5)
    with db.transaction() as session:
        worker = a_worker(session)
        _make_due(session, message_id)
        session.connection().execute(update(Message).values(expires_at=now()))
        claim(session, worker, 1)
        _age(session, worker)
        reclaim(session, timedelta(seconds=15))
    assert messages(db)[0].state is MessageState.FAILED


def _make_due(session: Session, message_id: int) -> None:
    session.connection().execute(
        update(Message)
        .where(Message.id == message_id)  # type: ignore[arg-type]
        .values(due_at=now())
    )


def test_giving_rows_back_is_free(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        worker = a_worker(session)
        ids = add_messages(session, account_id, 2)
        claim(session, worker, 2)
        release(session, worker, ids[:1])
        assert len(claim(session, a_worker(session), 5)) == 1
        sign_off(session, worker)
    second = messages(db)[1]
    assert (second.state, second.attempts, second.worker_id) == (MessageState.QUEUED, 0, None)


def test_the_links_in_our_own_mails_are_gone_once_they_are_sent(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        worker = a_worker(session)
        (message_id,) = add_messages(
            session,
            account_id,
            1,
            content_id=None,
            template="confirm_signup",
            variables={"link": "secret"},
        )
        claim(session, worker, 1)
        record_results(session, worker, [Result(message_id, OK, None)])
    assert messages(db)[0].variables is None


def test_the_queue_is_measured(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        assert measure_queue(session, timedelta(seconds=15)).due == 0
        add_messages(session, account_id, 3)
        a_worker(session)
        figures = measure_queue(session, timedelta(seconds=15))
    assert (figures.due, figures.workers) == (3, 1)
    assert figures.waiting_since is not None
