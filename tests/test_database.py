"""The database: pragmas, transactions, times, migrations up and down, on both kinds."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import JSON, inspect, text
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InternalError,
    OperationalError,
    StatementError,
)
from sqlmodel import insert, select

from kartramail.accounts.models import Account, Membership, Role
from kartramail.column_types import StateType
from kartramail.db import Database
from kartramail.errors import SchemaError
from kartramail.ids import new_id
from kartramail.models import metadata
from kartramail.schema import check, migrate


def test_sqlite_keeps_what_was_promised(tmp_path: Path) -> None:
    db = Database(f"sqlite:///{tmp_path}/x.db")
    with db.engine.connect() as connection:
        values = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    db.dispose()
    assert values == {
        "journal_mode": "wal",
        "foreign_keys": 1,
        "synchronous": 2,
        "busy_timeout": 30_000,
    }


def test_a_transaction_leaves_no_trace_when_it_fails(db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction() as session:
        session.add(Account(id=1, business_name="x"))
        session.flush()
        raise ZeroDivisionError
    with db.reading() as session:
        assert session.get(Account, 1) is None


@pytest.mark.parametrize("by_index", [False, True])
def test_what_is_changed_while_reading_is_thrown_away(db: Database, by_index: bool) -> None:
    with db.transaction() as session:
        session.add(Account(id=1, business_name="Doe Inc."))
    queue = Database(db.url, by_index=by_index)
    with queue.reading() as session:
        account = session.get_one(Account, 1)
        account.business_name = "Other Inc."
    with queue.reading() as session:
        assert account not in session
        assert session.get_one(Account, 1).business_name == "Doe Inc."
    with suppress(OperationalError, InternalError), queue.reading() as session:
        session.get_one(Account, 1).business_name = "Other Inc."
        session.flush()
    assert business_name(db) == "Doe Inc."
    queue.dispose()


@pytest.mark.parametrize("by_index", [False, True])
def test_plans_are_kept_for_those_who_go_by_index(db: Database, by_index: bool) -> None:
    """Else whatever is asked is planned anew each time: a twentieth of a worker's messages."""
    if db.is_sqlite:
        return  # Python's driver keeps them
    queue = Database(db.url, by_index=by_index)
    asked = select(Account.business_name).where(Account.id == 1)
    for _ in range(12):
        with queue.reading() as session:
            session.exec(asked).all()
        with queue.transaction() as session:
            session.exec(asked).all()
    with queue.reading() as session:
        kept = text("SELECT coalesce(sum(generic_plans), 0) FROM pg_prepared_statements")
        times = session.connection().execute(kept).scalar_one()
    queue.dispose()
    assert times >= 10 if by_index else times == 0


def test_many_writers_at_once_all_get_through(db: Database) -> None:
    """On SQLite a read that becomes a write would fail at once; BEGIN IMMEDIATE waits."""
    with db.transaction() as session:
        session.add(Account(id=1, business_name="0"))

    def count_up() -> None:
        for _ in range(20):
            with db.transaction() as session:
                account = session.get(Account, 1, with_for_update=True)
                assert account is not None
                account.business_name = str(int(account.business_name) + 1)
                session.add(account)

    threads = [threading.Thread(target=count_up) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.reading() as session:
        assert session.exec(select(Account.business_name)).one() == "100"


def set_names(db: Database, *names: str, of: int = 1) -> int:
    """The statement alone, once for each on SQLite, with the last one on PostgreSQL."""
    place = "?" if db.is_sqlite else "%s"
    statement = f"UPDATE account SET business_name = {place} WHERE id = {place}"
    if db.is_sqlite:
        return db.execute_alone(statement, [(name, of) for name in names])
    return db.execute_alone(statement, (names[-1], of))


def business_name(db: Database) -> str:
    with db.reading() as session:
        return session.exec(select(Account.business_name)).one()


def test_a_statement_alone_is_committed_and_counted(db: Database) -> None:
    with db.transaction() as session:
        session.add(Account(id=1, business_name="0"))
    assert set_names(db, "a", "b") == (2 if db.is_sqlite else 1)
    assert business_name(db) == "b"
    assert set_names(db, "c", of=2) == 0
    with pytest.raises(ZeroDivisionError), db.transaction() as session:  # the same connection
        session.connection().exec_driver_sql("UPDATE account SET business_name = 'd'")
        raise ZeroDivisionError
    assert business_name(db) == "b"


def test_a_statement_alone_that_fails_leaves_no_trace_and_says_nothing(db: Database) -> None:
    with db.transaction() as session:
        session.add(Account(id=1, business_name="0"))
    nothing: Any = None
    with pytest.raises(IntegrityError) as error:
        set_names(db, "hunter2", nothing)
    assert "hunter2" not in str(error.value)
    assert business_name(db) == "0"
    assert set_names(db, "a")


def test_a_statement_alone_says_that_the_database_is_away_as_others_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for url in (f"sqlite:///{tmp_path}/file", "postgresql+psycopg://127.0.0.1:1/none"):
        db = Database(url)
        if db.is_sqlite:
            (tmp_path / "file").write_text("This is no database, and long enough to be read.")
        with pytest.raises(DBAPIError) as error:
            set_names(db, "a")
        assert db.is_sqlite or isinstance(error.value, OperationalError)
        db.dispose()


def test_statements_alone_wait_for_each_other(db: Database) -> None:
    with db.transaction() as session:
        session.add(Account(id=1, business_name="0"))
    add = "UPDATE account SET business_name = CAST(CAST(business_name AS INTEGER) + {} AS VARCHAR)"

    def count_up() -> None:
        for _ in range(20):
            if db.is_sqlite:
                db.execute_alone(add.format("?"), [(1,)])
            else:
                db.execute_alone(add.format("%s::integer"), (1,))

    threads = [threading.Thread(target=count_up) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert business_name(db) == "100"


def test_errors_do_not_tell_what_was_written(db: Database) -> None:
    """They are logged, and what is written holds addresses and links (R-SAFE)."""
    with pytest.raises(IntegrityError) as error, db.transaction() as session:
        for _ in range(2):
            session.connection().execute(insert(Account), {"id": 1, "business_name": "hunter2"})
    assert "hunter2" not in str(error.value)


def test_times_come_back_aware_and_naive_ones_are_refused(db: Database) -> None:
    tokyo = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=9)))
    with db.transaction() as session:
        session.add(Account(id=1, business_name="x", created_at=tokyo))
    with db.reading() as session:
        found = session.exec(select(Account.created_at)).one()
    assert found == tokyo
    assert found.tzinfo is UTC
    with pytest.raises(StatementError), db.transaction() as session:
        session.add(Account(id=2, business_name="x", created_at=datetime(2026, 1, 2)))


def test_a_stored_word_that_is_no_state_is_refused(db: Database) -> None:
    roles = StateType(Role)
    read = roles.result_processor(db.engine.dialect, None)
    assert [read(one) for one in (Role.OWNER.value, None)] == [Role.OWNER, None]
    with pytest.raises(ValueError, match="pope"):
        read("pope")


@pytest.mark.parametrize(
    "written",
    ['{"a": [1, null, "é"]}', ' {"a": [1, null, "\\u00e9"]} ', "\n[1, 2]\n", '"x"', "1.5", "null"],
)
def test_json_is_read_as_it_was_written(db: Database, written: str) -> None:
    given = ":written" if db.is_sqlite else "CAST(:written AS json)"  # which keeps the blanks
    value = text(f"SELECT {given} AS it")
    with db.reading() as session:
        found = (
            session.connection().execute(value.columns(it=JSON()), {"written": written}).scalar()
        )
    assert found == json.loads(written)


def test_a_row_of_another_account_cannot_be_referenced(db: Database) -> None:
    from kartramail.senders.models import Gateway, Sender

    with db.transaction() as session:
        session.add_all([Account(id=1, business_name="a"), Account(id=2, business_name="b")])
        session.flush()
        session.add(Sender(id=9, account_id=1, name="a", send_from="a@b.example", **_domain()))
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.add(Gateway(account_id=2, sender_id=9))


def _domain() -> dict[str, str]:
    return {"from_domain": "b.example", "from_key": "a@b.example"}


def test_membership_needs_a_real_person(db: Database) -> None:
    with pytest.raises(IntegrityError), db.transaction() as session:
        session.add(Account(id=1, business_name="a"))
        session.flush()
        session.add(Membership(account_id=1, user_id=new_id(), role=Role.OWNER))


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_migrations_go_up_and_down(make_database_url: Callable[[str], str], kind: str) -> None:
    db = Database(make_database_url(kind))
    try:
        migrate(db, "base")
        assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
        with pytest.raises(SchemaError, match="flask kartramail migrate"):
            check(db)
        migrate(db)
        check(db)
        with db.engine.connect() as connection:
            assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    finally:
        migrate(db)
        db.dispose()
