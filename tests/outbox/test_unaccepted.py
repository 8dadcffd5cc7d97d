"""Results other than accepted ones, many together: each row is written as if it came alone."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox.cancellation import cancel_waiting
from kartramail.outbox.claims import claim
from kartramail.outbox.models import Attempt, Event, EventKind, Message, MessageState
from kartramail.outbox.resolved_senders import SenderAnswer, store_resolved_sender
from kartramail.outbox.results import Failed, Result, record_results
from kartramail.outbox.workers import reclaim, register_worker
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from tests.support.outbox import add_account, add_messages, messages
from tests.support.statements import heard

OK = Accepted(250, "2.0.0 Ok", "mx:25")
LATER = Deferred(Stage.RCPT, 451, "4.3.0 later", "mx:25")
UNREACHED = Deferred(Stage.CONNECT, None, "Nothing listens there.", "mx:25")
IN_DOUBT = Deferred(Stage.END_OF_DATA, None, "The connection broke.", "mx:25", in_doubt=True)
UNKNOWN = Refused(Stage.RCPT, 550, "5.1.1 unknown", "mx:25")
UNBUILT = Failed("no template")


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


@pytest.fixture
def worker(db: Database) -> int:
    with db.transaction() as session:
        return register_worker(session, "test", 1)


def held(session: Session, account_id: int, worker: int, count: int, **values: Any) -> list[int]:
    ids = add_messages(session, account_id, count, **values)
    assert len(claim(session, worker, count)) == count
    return ids


def change(session: Session, message_id: int, **values: Any) -> None:
    session.connection().execute(
        update(Message).where(col(Message.id) == message_id).values(**values)
    )


def told(session: Session, message_id: int) -> list[tuple[EventKind, str]]:
    found = session.exec(
        select(Event).where(Event.message_id == message_id).order_by(col(Event.id))
    )
    return [(one.kind, str(one.detail["words"])) for one in found]


def test_each_of_a_batch_ends_as_it_is_reported(db: Database, account_id: int, worker: int) -> None:
    outcomes: list[Any] = [OK, LATER, UNREACHED, IN_DOUBT, UNKNOWN, UNBUILT]
    with db.transaction() as session:
        ids = held(session, account_id, worker, 6, tries=2, attempts=2)
        results = [Result(one, how, None) for one, how in zip(ids, outcomes, strict=True)]
        assert record_results(session, worker, results) == 6
        attempts = session.exec(select(Attempt).order_by(col(Attempt.message_id))).all()
        events = [told(session, one) for one in ids]
    found = [(m.state, m.tries, m.attempts, m.reply, m.server) for m in messages(db)]
    doubt = "The connection broke. (in doubt: it may have been taken)"
    assert found == [
        (MessageState.SENT, 3, 3, "250 2.0.0 Ok", "mx:25"),
        (MessageState.DEFERRED, 3, 3, "451 4.3.0 later", "mx:25"),
        (MessageState.DEFERRED, 3, 2, "Nothing listens there.", "mx:25"),
        (MessageState.DEFERRED, 3, 3, doubt, "mx:25"),
        (MessageState.BOUNCED, 3, 3, "550 5.1.1 unknown", "mx:25"),
        (MessageState.FAILED, 3, 3, "no template", None),
    ]
    assert {m.worker_id for m in messages(db)} == {None}
    assert [m.due_at is not None for m in messages(db)] == [False, True, True, True, False, False]
    assert [(a.message_id, a.n, a.stage, a.code, a.reply, a.server) for a in attempts] == [
        (ids[1], 3, "rcpt", 451, "451 4.3.0 later", "mx:25"),
        (ids[2], 3, "connect", None, "Nothing listens there.", "mx:25"),
        (ids[3], 3, "end_of_data", None, doubt, "mx:25"),
        (ids[4], 3, "rcpt", 550, "550 5.1.1 unknown", "mx:25"),
    ]
    assert events == [[], [], [], [], [], [(EventKind.FAILED, "no template")]]


def test_of_a_batch_only_what_is_late_over_or_called_back_is_told_so(
    db: Database, account_id: int, worker: int
) -> None:
    hours = timedelta(hours=1)
    with db.transaction() as session:
        ids = held(session, account_id, worker, 5, created_at=now() - 10 * hours, tries=1)
        for one in ids[1:]:  # the first is old, but no server has heard of it before
            first = Attempt(
                message_id=one, n=1, stage="rcpt", code=451, reply="no", server="mx",
                at=now() - 5 * hours,
            )  # fmt: skip
            session.add(first)
        session.flush()
        change(session, ids[2], expires_at=now() + timedelta(seconds=5))
        assert cancel_waiting(session, account_id, [ids[3]], "it was cancelled") == []
        results = [Result(one, LATER, None) for one in ids]
        assert record_results(session, worker, results) == 5
        events = [told(session, one) for one in ids]
        # And what was told once is not told again.
        change(session, ids[4], due_at=now())
        assert len(claim(session, worker, 10)) == 1
        assert record_results(session, worker, [Result(ids[4], LATER, None)]) == 1
        assert told(session, ids[4]) == events[4]
    assert events[0] == []
    for late in (events[1], events[4]):
        ((kind, words),) = late
        assert kind is EventKind.DELAYED
        assert words.startswith("It has waited for 5 hours and is tried for ")
    assert events[2] == [(EventKind.FAILED, "Given up: it was tried 2 times within 5 hours.")]
    assert [kind for kind, _ in events[3]] == [EventKind.CANCELLED] * 2
    assert events[3][1][1] == "Not tried again: it had been called back."
    states = [m.state for m in messages(db)]
    deferred = MessageState.DEFERRED
    assert states == [deferred, deferred, MessageState.FAILED, MessageState.CANCELLED, deferred]


def test_of_a_batch_only_what_is_still_the_worker_s_is_written(
    db: Database, account_id: int, worker: int
) -> None:
    with db.transaction() as session:
        lost = held(session, account_id, worker, 2)
        assert reclaim(session, timedelta(seconds=-1)) == 2
        other, again = register_worker(session, "test", 2), register_worker(session, "test", 3)
        assert len(claim(session, other, 1)) == 1
        kept = add_messages(session, account_id, 2)
        assert len(claim(session, again, 1)) == 1  # the other lost one
        assert len(claim(session, again, 2)) == 2
        results = [Result(one, LATER, None) for one in (*lost[:1], *kept)]
        assert record_results(session, again, results) == 2
    assert [m.tries for m in messages(db)] == [0, 0, 1, 1]
    assert messages(db)[0].worker_id == other


def test_what_is_reported_twice_in_a_batch_is_written_as_it_came_first(
    db: Database, account_id: int, worker: int
) -> None:
    with db.transaction() as session:
        ids = held(session, account_id, worker, 2)
        results = [
            *(Result(ids[0], UNKNOWN, None), Result(ids[0], LATER, None)),
            *(Result(ids[1], LATER, None), Result(ids[1], OK, None)),
        ]
        assert record_results(session, worker, results) == 2
    states = [(m.state, m.tries) for m in messages(db)]
    assert states == [(MessageState.BOUNCED, 1), (MessageState.SENT, 1)]


def test_the_sender_of_each_is_kept_or_written(db: Database, account_id: int, worker: int) -> None:
    with db.transaction() as session:
        senders = [
            store_resolved_sender(
                session,
                account_id,
                SenderAnswer(hash_, "Doe", "jane@doeinc.com", None, None, ["c", "why"], []),
            )
            for hash_ in "ab"
        ]
        ids = held(session, account_id, worker, 3, resolved_id=senders[0])
        results = [
            Result(ids[0], LATER, None),
            Result(ids[1], LATER, senders[1]),
            Result(ids[2], UNKNOWN, senders[1]),
        ]
        assert record_results(session, worker, results) == 3
    assert [m.resolved_id for m in messages(db)] == [senders[0], senders[1], senders[1]]


def test_the_links_in_our_own_mails_are_gone_where_it_ended_and_only_there(
    db: Database, account_id: int, worker: int
) -> None:
    with db.transaction() as session:
        ids = held(
            session, account_id, worker, 3,
            content_id=None, template="confirm_signup", variables={"link": "secret"},
        )  # fmt: skip
        outcomes: list[Any] = [LATER, UNKNOWN, UNBUILT]
        results = [Result(one, how, None) for one, how in zip(ids, outcomes, strict=True)]
        assert record_results(session, worker, results) == 3
    assert [m.variables for m in messages(db)] == [{"link": "secret"}, None, None]


def test_a_name_of_a_server_that_is_too_long_is_cut(
    db: Database, account_id: int, worker: int
) -> None:
    with db.transaction() as session:
        (one,) = held(session, account_id, worker, 1)
        reply = Deferred(Stage.RCPT, 451, "later", "m" * 300)
        assert record_results(session, worker, [Result(one, reply, None)]) == 1
    assert messages(db)[0].server == "m" * 255


def test_forty_results_take_as_many_statements_as_four(
    db: Database, account_id: int, worker: int
) -> None:
    counts = []
    for number in (4, 40):
        with db.transaction() as session:
            ids = held(session, account_id, worker, number)
            outcomes: list[Any] = [LATER, UNKNOWN, UNBUILT, IN_DOUBT]
            results = [Result(one, outcomes[n % 4], None) for n, one in enumerate(ids)]
            with heard(db) as statements:
                assert record_results(session, worker, results) == number
            counts.append(len(statements))
    assert counts == [4, 4]  # read and lock, write, and two logs
