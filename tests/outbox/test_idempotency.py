"""One Idempotency-Key, one effect, also when several come at once."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.errors import IdempotencyConflict
from kartramail.outbox.idempotency import (
    begin_once,
    earlier_answer,
    finish_once,
    forget_expired,
)
from kartramail.outbox.models import Idempotency
from tests.support.outbox import add_account


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def test_a_repeat_gets_the_first_answer(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        assert begin_once(session, account_id, "e", "k", "h") is None
        finish_once(session, account_id, "e", "k", {"id": "1"})
    with db.transaction() as session:
        assert begin_once(session, account_id, "e", "k", "h") == {"id": "1"}


def test_another_body_is_refused(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        begin_once(session, account_id, "e", "k", "h")
    with db.transaction() as session, pytest.raises(IdempotencyConflict):
        begin_once(session, account_id, "e", "k", "other")


def test_an_earlier_answer_is_found_without_reserving_anything(
    db: Database, account_id: int
) -> None:
    with db.reading() as session:
        assert earlier_answer(session, account_id, "e", "k", "h") is None
    with db.transaction() as session:
        assert begin_once(session, account_id, "e", "k", "h") is None
        finish_once(session, account_id, "e", "k", {"id": "1"})
    with db.reading() as session:
        assert earlier_answer(session, account_id, "e", "k", "h") == {"id": "1"}
        with pytest.raises(IdempotencyConflict):
            earlier_answer(session, account_id, "e", "k", "other")
    with db.transaction() as session:
        session.connection().execute(update(Idempotency).values(expires_at=now()))
        assert earlier_answer(session, account_id, "e", "k", "h") is None


def test_another_account_has_keys_of_its_own(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        other = add_account(session, "Other", "joe@yourcompany.com")
        begin_once(session, account_id, "e", "k", "h")
        assert begin_once(session, other, "e", "k", "other") is None


def test_a_key_is_free_again_after_seven_days(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        begin_once(session, account_id, "e", "k", "h")
        session.connection().execute(
            update(Idempotency).values(expires_at=now() - timedelta(seconds=1))
        )
        assert begin_once(session, account_id, "e", "k", "other") is None
        session.connection().execute(
            update(Idempotency).values(expires_at=now() - timedelta(seconds=1))
        )
        forget_expired(session)
        assert begin_once(session, account_id, "e", "k", "third") is None


def test_of_ten_at_once_one_is_first(db: Database, account_id: int) -> None:
    answers: list[object] = []
    barrier = threading.Barrier(10)

    def ask(n: int) -> None:
        barrier.wait()
        with db.transaction() as session:
            earlier = begin_once(session, account_id, "e", "k", "h")
            if earlier is None:
                finish_once(session, account_id, "e", "k", {"by": n})
            answers.append(earlier)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    repeats = [answer for answer in answers if answer is not None]
    assert len(answers) == 10
    assert len(repeats) == 9
    assert all(answer == repeats[0] and answer for answer in repeats)
