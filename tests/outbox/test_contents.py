"""Contents are stored once, and two requests that store the same ones never lock each other."""

import threading

import pytest
from sqlmodel import select

from kartramail.db import Database
from kartramail.outbox.contents import Words, store_content, store_contents
from kartramail.outbox.models import Content
from tests.support.outbox import add_account

ROUNDS, CONTENTS = 10, 60


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def test_the_same_words_are_one_content(db: Database, account_id: int) -> None:
    words: Words = ("s", "t", None)
    with db.transaction() as session:
        numbers = store_contents(session, account_id, [words, ("s", "t", "h"), words])
        assert len(set(numbers.values())) == 2
        assert store_content(session, account_id, words) == numbers[words]
    with db.reading() as session:
        assert len(session.exec(select(Content)).all()) == 2


def test_two_that_store_the_same_in_other_orders_do_not_lock_each_other(
    db: Database, account_id: int
) -> None:
    failures: list[Exception] = []
    barrier = threading.Barrier(2)

    def store(is_reversed: bool) -> None:
        for round_ in range(ROUNDS):
            contents: list[Words] = [(f"{round_} {n}", "t", None) for n in range(CONTENTS)]
            barrier.wait()
            try:
                with db.transaction() as session:
                    store_contents(session, account_id, contents[::-1] if is_reversed else contents)
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=store, args=(way,)) for way in (False, True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
