"""Old messages leave the hot table, without addresses and words (R-LOG), on both databases."""

import threading
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.engine import Dialect
from sqlmodel import Session, SQLModel, col, func, insert, select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import first_id_at
from kartramail.installation import Installation
from kartramail.outbox.contents import store_content
from kartramail.outbox.lanes import hold_lane, lane_id_for
from kartramail.outbox.models import (
    Attempt,
    Content,
    Event,
    EventKind,
    Message,
    MessageState,
    SourceKind,
)
from kartramail.outbox.old_messages import OldMessage, find_old_message
from kartramail.outbox.retention import ENDED, Moved, find_old, move_batch, move_old_messages
from kartramail.outbox.rounds import ROUNDS
from kartramail.rules.streams import Stream
from kartramail.worker.rounds import run_due_rounds
from tests.support.outbox import add_account, add_messages, messages
from tests.support.statements import before_each, heard

DAYS = 90
ENDS: dict[str, Any] = {"due_at": None, "state": MessageState.SENT, "tries": 1, "attempts": 1}

WAITS: dict[str, Any] = {"sent_at": None, "expires_at": now() + timedelta(days=1)}


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def add_old(
    session: Session, account_id: int, count: int, age: int = 91, **values: Any
) -> list[int]:
    """Messages that came `age` days ago; sent at once unless `values` say otherwise."""
    at = now() - timedelta(days=age)
    ids = iter(_ids(at, count))
    found = []
    for number in ids:
        (made,) = add_messages(
            session,
            account_id,
            1,
            **ENDS
            | {
                "id": number,
                "created_at": at,
                "sent_at": at,
                "expires_at": at + timedelta(days=5),
            }
            | values,
        )
        found.append(made)
    return found


def _ids(at: Any, count: int, start: int = 0) -> Iterator[int]:
    first = first_id_at(at) + start
    return iter(range(first, first + count))


def move(db: Database, days: int = DAYS) -> Moved:
    return move_old_messages(db, days, 60.0, lambda _: None)


def count(db: Database, table: type[SQLModel]) -> int:
    with db.reading() as session:
        return session.exec(select(func.count()).select_from(table)).one()


def test_what_is_kept_names_nobody(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        (number,) = add_old(
            session, account_id, 1, type="asset_delivered", asset_id=7, reply="250 Ok"
        )
        session.add(
            Attempt(
                message_id=number, n=1, stage="rcpt", code=450, reply="Busy", server="x", at=now()
            )
        )
        session.add(Event(message_id=number, kind=EventKind.RECLAIMED))
    (before,) = messages(db)
    assert move(db) == Moved(1, 1, None)
    with db.reading() as session:
        old = session.get(OldMessage, number)
    assert old is not None
    assert old.model_dump() == {
        "id": number,
        "account_id": account_id,
        "stream": Stream.TRANSACTIONAL,
        "state": MessageState.SENT,
        "source_kind": SourceKind.API,
        "type": "asset_delivered",
        "asset_id": 7,
        "to_domain": "example.net",
        "created_at": before.created_at,
        "sent_at": before.sent_at,
        "tries": 1,
        "attempts": 1,
        "resolved_id": None,
    }
    assert [count(db, table) for table in (Message, Attempt, Event, Content)] == [0, 0, 0, 0]
    with db.reading() as session:
        for table in SQLModel.metadata.sorted_tables:
            rows = session.connection().execute(table.select()).all()
            assert "r0@example.net" not in str(rows), table.name


@pytest.mark.parametrize("state", ENDED)
def test_every_end_is_an_end(db: Database, account_id: int, state: MessageState) -> None:
    with db.transaction() as session:
        sent_at = now() - timedelta(days=91) if state is MessageState.SENT else None
        add_old(session, account_id, 2, state=state, sent_at=sent_at, age=96)
    assert move(db).messages == 2


@pytest.mark.parametrize(
    "values",
    [
        WAITS | {"state": MessageState.QUEUED, "due_at": now()},
        WAITS | {"state": MessageState.DEFERRED, "due_at": now()},
        WAITS | {"state": MessageState.SCHEDULED, "due_at": now() + timedelta(days=1)},
        WAITS
        | {
            "state": MessageState.QUEUED,
            "due_at": now(),
            "expires_at": now() - timedelta(days=1),
        },
        {"state": MessageState.SENDING, "sent_at": None, "worker_id": 1},
        {"state": MessageState.SENT, "sent_at": now() - timedelta(days=1)},
        {
            "state": MessageState.CANCELLED,
            "sent_at": None,
            "expires_at": now() - timedelta(days=84),
        },
    ],
)
def test_what_waits_or_ended_lately_stays(
    db: Database, account_id: int, values: dict[str, Any]
) -> None:
    with db.transaction() as session:
        (stays,) = add_old(session, account_id, 1, age=400, **values)
        (goes,) = add_old(session, account_id, 1)
    assert move(db).messages == 1
    assert [message.id for message in messages(db)] == [stays]
    with db.reading() as session:
        assert list(session.exec(select(OldMessage.id))) == [goes]


def test_what_nobody_claims_does_not_keep_its_address_for_ever(
    db: Database, account_id: int
) -> None:
    """It waits in a lane that is held, or of an account that may send nothing, till long after its
    time was over."""
    with db.transaction() as session:
        hold_lane(session, account_id, lane_id_for(session, account_id, Stream.TRANSACTIONAL))
        values = {"sent_at": None, "due_at": now() - timedelta(days=100), "tries": 0}
        (number,) = add_old(
            session, account_id, 1, age=100, state=MessageState.QUEUED, attempts=0, **values
        )
    assert move(db) == Moved(1, 1, None)
    with db.reading() as session:
        old = session.get(OldMessage, number)
    assert old is not None
    assert old.state is MessageState.FAILED
    assert messages(db) == []


def test_the_setting_says_how_old(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        for age in (5, 15, 25):
            add_old(session, account_id, 1, age=age)
    assert move(db, days=30).messages == 0
    assert move(db, days=20).messages == 1
    assert move(db, days=10).messages == 1
    assert len(messages(db)) == 1


def test_a_content_stays_while_anything_refers_to_it(db: Database, account_id: int) -> None:
    shared, own = ("Shared", "x", None), ("Own", "x", None)
    with db.transaction() as session:
        other = add_account(session, "Other", "joe@yourcompany.com")
        add_old(session, account_id, 1, words=shared)
        add_old(session, account_id, 1, age=92, words=own)
        add_old(session, other, 1, age=93, words=shared)
        (recent,) = add_messages(session, account_id, 1, words=shared)
    assert move(db) == Moved(3, 2, None)
    with db.reading() as session:
        left = session.exec(select(Content.subject, Content.account_id)).all()
    assert list(left) == [("Shared", account_id)]
    with db.transaction() as session:
        session.connection().execute(
            update(Message).where(col(Message.id) == recent).values(content_id=None)
        )
        add_old(session, account_id, 1, words=shared)
    assert move(db) == Moved(1, 1, None)


def test_a_message_without_content_moves(db: Database, account_id: int) -> None:
    """Such as a test, whose words are our own template."""
    with db.transaction() as session:
        add_old(session, account_id, 1, content_id=None, source_kind=SourceKind.TEST)
    assert move(db).messages == 1


def test_many_batches_move_all_of_it(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_many(session, account_id, 3_000)
        values = WAITS | {"state": MessageState.QUEUED, "due_at": now()}
        (waits,) = add_old(session, account_id, 1, age=400, **values)
    moved = move(db)
    assert (moved.messages, moved.last_id) == (3_000, None)
    assert [message.id for message in messages(db)] == [waits]
    assert count(db, OldMessage) == 3_000


def add_many(session: Session, account_id: int, number: int, age: int = 100) -> None:
    """Like `add_old`, quickly; each tenth has an attempt."""
    at = now() - timedelta(days=age)
    (one,) = add_old(session, account_id, 1, age=age)
    row = session.connection().execute(
        select(Message.__table__).where(col(Message.id) == one)  # type: ignore[attr-defined]
    )
    values = dict(row.one()._mapping)
    ids = list(_ids(at, number - 1, start=1))
    session.connection().execute(insert(Message), [values | {"id": number} for number in ids])
    session.connection().execute(
        insert(Attempt),
        [
            {"message_id": n, "n": 1, "stage": "rcpt", "reply": "Busy", "server": "x", "at": at}
            for n in ids[::10]
        ],
    )


def test_a_round_ends_in_time_and_goes_on_at_the_next(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_many(session, account_id, 250)
    first = move_old_messages(db, DAYS, 0.0, lambda _: None)
    assert 0 < first.messages < 250
    assert first.last_id is not None
    assert first.messages + move(db).messages == 250


def test_others_have_the_database_between_two_batches(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_many(session, account_id, 300)
    pauses: list[float] = []
    move_old_messages(db, DAYS, 60.0, pauses.append)
    assert len(pauses) >= 2
    assert all(seconds >= 0.01 for seconds in pauses)


@pytest.mark.parametrize("table", ["attempt", "event", "message", "content"])
def test_a_batch_that_fails_leaves_all_as_it_was(db: Database, account_id: int, table: str) -> None:
    with db.transaction() as session:
        add_many(session, account_id, 40)
    before = messages(db)

    def fail(_c: Connection, statement: str, _v: Any) -> None:
        if statement.startswith(f"DELETE FROM {table} "):
            raise _Killed

    with before_each(db, fail), pytest.raises(_Killed):
        move(db)
    assert [one.model_dump() for one in messages(db)] == [one.model_dump() for one in before]
    assert (count(db, OldMessage), count(db, Attempt), count(db, Content)) == (0, 4, 1)
    assert move(db) == Moved(40, 1, None)


class _Killed(BaseException):
    """As when the process ends in the middle."""


def test_two_workers_at_once_move_each_once(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_many(session, account_id, 1_000)
    moved: list[Moved] = []
    threads = [threading.Thread(target=lambda: moved.append(move(db))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sum(one.messages for one in moved) == 1_000
    assert count(db, OldMessage) == 1_000


def test_words_that_are_said_again_meanwhile_stay(db: Database, account_id: int) -> None:
    """Whoever found the content is sure that it is still there when the message is written."""
    words = ("Hello", "x", None)
    with db.transaction() as session:
        add_old(session, account_id, 1, words=words)
    found, moved = threading.Event(), threading.Event()
    failures: list[BaseException] = []

    def say_again() -> None:
        try:
            with db.transaction() as session:
                store_content(session, account_id, words)
                found.set()
                if not db.is_sqlite:  # there the other one waits for this transaction
                    assert moved.wait(30)
                add_messages(session, account_id, 1, words=words)
        except BaseException as error:
            failures.append(error)
            found.set()

    thread = threading.Thread(target=say_again)
    thread.start()
    assert found.wait(30)
    assert move(db).messages == 1
    moved.set()
    thread.join(30)
    assert failures == []
    assert count(db, Content) == 1


def test_the_round_is_run_by_a_worker(installation: Installation, account_id: int) -> None:
    with installation.db.transaction() as session:
        add_old(session, account_id, 3)
    assert "retention" in run_due_rounds(installation, ROUNDS)
    assert count(installation.db, OldMessage) == 3


def test_what_is_left_is_read_by_its_account_alone(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        other = add_account(session, "Other", "joe@yourcompany.com")
        (number,) = add_old(session, account_id, 1)
    move(db)
    with db.reading() as session:
        old = find_old_message(session, account_id, number)
        assert find_old_message(session, other, number) is None
        assert old is not None
        assert (old.id, old.state, old.to_addr) == (number, MessageState.SENT, "")
        assert old not in session


def test_whatever_refers_to_a_message_is_thought_of() -> None:
    """A new table with a foreign key to `message` needs a line in `retention._move`."""
    referring = {
        table.name
        for table in SQLModel.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "message"
    }
    assert referring == {"attempt", "event"}


@pytest.fixture
def _many(db: Database, account_id: int) -> None:
    """50,000 messages, half of them old, in three accounts."""
    with db.transaction() as session:
        for n in range(3):
            other = add_account(session, f"Other {n}", f"joe@yourcompany{n}.com")
            add_many(session, other, 8_000, age=100 + n)
            add_many(session, other, 8_000, age=1 + n)
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ANALYZE"))


@pytest.mark.usefixtures("_many")
def test_no_statement_reads_a_whole_table(db: Database) -> None:
    horizon = now() - timedelta(days=DAYS)
    with heard(db) as asked, db.transaction() as session:
        moved = move_batch(session, horizon, 0, 200)
    statements = [one for one in asked if one[0].startswith(("SELECT", "DELETE", "INSERT"))]
    assert moved.messages == 200
    assert len(statements) == 7
    with db.engine.connect() as connection:
        for statement, parameters in statements:
            plan = explain(connection, statement, parameters)
            assert "Seq Scan on message" not in plan, statement
            assert "Seq Scan on attempt" not in plan, statement
            assert "SCAN message" not in plan, statement
            assert "SCAN attempt" not in plan, statement
            if statement.startswith("DELETE FROM content"):
                assert "ix_message_content" in plan
        plan = explain(connection, *_compiled(db.engine.dialect, horizon))
        is_by_id = "pk_message" in plan or "USING INTEGER PRIMARY KEY (rowid>" in plan
        assert is_by_id, plan
        assert "Sort" not in plan
        assert "TEMP B-TREE" not in plan


def _compiled(dialect: Dialect, horizon: Any) -> tuple[str, Any]:
    compiled = find_old(horizon, 0, 200).compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    parameters = {
        name: processor(value) if processor else value
        for name, value in compiled.params.items()
        for processor in [compiled._bind_processors.get(name)]
    }
    if compiled.positional:
        return str(compiled), tuple(parameters[name] for name in compiled.positiontup)
    return str(compiled), parameters


def explain(connection: Connection, statement: str, parameters: Any) -> str:
    prefix = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
    rows = connection.exec_driver_sql(prefix + statement, parameters).all()
    return "\n".join(str(row[-1]) for row in rows)
