"""Migrations of a database in use: rows stay, and older code can read what it finds (R-OPS)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect, text

from kartramail.accounts.models import Account
from kartramail.assets.models import Asset, NotificationSetting, ScheduledEvent
from kartramail.db import Database
from kartramail.models import metadata
from kartramail.outbox.models import (
    WAITS_AGAIN,
    Attempt,
    Content,
    Event,
    EventKind,
    Message,
    MessageState,
    ResolvedSender,
    SourceKind,
    Worker,
)
from kartramail.rules.replies import Stage
from kartramail.rules.streams import Stream
from kartramail.schema import check, migrate
from kartramail.senders.models import ChoiceScope, Gateway, Sender, SenderChoice

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
DEFAULT, CHOSEN, REPLACED, REMOVED = 11, 12, 13, 14
SENT, CANCELLED, WAITS_REPLACED, WAITS_REMOVED = 21, 22, 23, 24
KINDS_OF_0002 = {"queued", "sent", "deferred", "bounced", "failed", "reclaimed"}


@pytest.fixture(params=["sqlite", "postgresql"])
def used(request: pytest.FixtureRequest, make_database_url: Callable[[str], str]) -> Iterator[Any]:
    """A database at the newest schema with rows in it; back there at the end."""
    db = Database(make_database_url(request.param))
    try:
        _fill(db)
        yield db
    finally:
        migrate(db)
        db.dispose()


def test_a_step_down_and_up_again_keeps_what_both_schemas_know(used: Database) -> None:
    kept = {
        "account": "id, business_name",
        "content": "id, subject",
        "gateway": "account_id, sender_id",
        "resolved_sender": "id, send_from",
        "message": "id, state, to_key, type, content_id, resolved_id",
        "attempt": "message_id, n, reply",
    }
    before = {name: _rows(used, name, columns) for name, columns in kept.items()}
    migrate(used, "0002")
    assert {name: _rows(used, name, columns) for name, columns in kept.items()} == before
    migrate(used)
    check(used)
    assert {name: _rows(used, name, columns) for name, columns in kept.items()} == before
    assert len(before["message"]) == 4
    with used.reading() as session:
        assert session.get_one(ResolvedSender, 31).chain == []
        assert session.get_one(Sender, CHOSEN).removed_at is None
    with used.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_older_schema_has_only_tables_and_columns_of_its_own(used: Database) -> None:
    migrate(used, "0002")
    found = inspect(used.engine)
    newer = {"asset", "notification_setting", "scheduled_event", "sender_choice"}
    assert not newer & set(found.get_table_names())
    columns = {
        (name, column["name"])
        for name in ("message", "resolved_sender", "sender")
        for column in found.get_columns(name)
    }
    assert not columns & {
        ("message", "asset_id"),
        ("resolved_sender", "chain"),
        ("sender", "removed_at"),
        ("sender", "replaced_by_id"),
    }
    indexes = {index["name"] for index in found.get_indexes("message")}
    assert not indexes & {"ix_message_asset", "ix_message_trouble"}
    assert {"ix_message_due", "ix_message_held", "ix_message_test"} <= indexes


def test_the_older_code_finds_no_word_that_it_does_not_know(used: Database) -> None:
    migrate(used, "0002")
    assert {row[0] for row in _rows(used, "message", "source_kind")} == {"api"}
    assert _rows(used, "event", "message_id, kind") == [
        (SENT, "queued"),
        (SENT, "sent"),
        (CANCELLED, "queued"),
    ]
    assert {row[1] for row in _rows(used, "event", "id, kind")} <= KINDS_OF_0002


def test_a_removed_sender_does_not_come_back(used: Database) -> None:
    """What waits under it leaves as what took its place; what has left is not touched."""
    migrate(used, "0002")
    assert _rows(used, "sender", "id") == [(DEFAULT,), (CHOSEN,)]
    assert _rows(used, "message", "id, sender_id") == [
        (SENT, REPLACED),
        (CANCELLED, None),
        (WAITS_REPLACED, CHOSEN),
        (WAITS_REMOVED, None),
    ]


def test_a_database_in_use_goes_down_to_nothing_and_up(used: Database) -> None:
    migrate(used, "base")
    assert set(inspect(used.engine).get_table_names()) <= {"alembic_version"}
    migrate(used)
    check(used)


def test_what_waits_for_another_try_is_found_by_its_index_after_a_step_down_and_up(
    used: Database,
) -> None:
    migrate(used, "0005")
    assert "ix_message_again" not in _indexes(used)
    migrate(used)
    assert "ix_message_again" in _indexes(used)
    with used.engine.connect() as connection:
        if not used.is_sqlite:
            connection.execute(text("SET enable_seqscan = off"))
        by_index = "INDEXED BY ix_message_again" if used.is_sqlite else ""
        found = text(f"SELECT id FROM message {by_index} WHERE {WAITS_AGAIN}")
        explain = "EXPLAIN QUERY PLAN" if used.is_sqlite else "EXPLAIN"
        plan = str(connection.execute(text(f"{explain} {found}")).all())
        assert connection.execute(found).all() == [(WAITS_REPLACED,)]
    assert "ix_message_again" in plan


def test_a_worker_of_the_time_before_is_said_to_hold_nothing(used: Database) -> None:
    with used.transaction() as session:
        session.add(Worker(id=91, host="host", pid=1, held=5))
    migrate(used, "0007")
    assert "held" not in {column["name"] for column in inspect(used.engine).get_columns("worker")}
    migrate(used)
    assert _rows(used, "worker", "id, held") == [(91, 0)]


def _indexes(db: Database) -> set[str | None]:
    return {index["name"] for index in inspect(db.engine).get_indexes("message")}


def _rows(db: Database, table: str, columns: str) -> list[tuple[Any, ...]]:
    order = "message_id, n" if table == "attempt" else "1" if table == "gateway" else "id"
    with db.engine.connect() as connection:
        found = connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY {order}"))
        return [tuple(row) for row in found]


def _fill(db: Database) -> None:
    with db.transaction() as session:
        session.add(Account(id=1, business_name="Doe Inc."))
        session.flush()
        session.add_all(
            [
                _sender(DEFAULT),
                _sender(CHOSEN),
                _sender(REPLACED, removed_at=NOON, replaced_by_id=CHOSEN),
                _sender(REMOVED, removed_at=NOON),
                Asset(id=41, account_id=1, kind="calendar", name="Consultations"),
                Content(id=51, account_id=1, hash="c", subject="Your booking", text="Hello"),
                ResolvedSender(
                    id=31, account_id=1, hash="r", name="Doe", send_from="a@b.example",
                    why=["proven_domain", "It is."], chain=[["asset", "chosen"]],
                ),
            ]
        )  # fmt: skip
        session.flush()
        session.add_all(
            [
                Gateway(account_id=1, sender_id=DEFAULT),
                SenderChoice(
                    account_id=1, scope=ChoiceScope.ASSET, scope_id=41, type="", sender_id=CHOSEN
                ),
                NotificationSetting(account_id=1, asset_id=41, type="booking_made", subject="Hi"),
                ScheduledEvent(
                    id=61, account_id=1, asset_id=41, type="booking_reminder", key="b1",
                    due_at=NOON, starts_at=NOON + timedelta(days=1), contact={}, variables={},
                ),
                _message(SENT, MessageState.SENT, sender_id=REPLACED, resolved_id=31),
                _message(CANCELLED, MessageState.CANCELLED),
                _message(
                    WAITS_REPLACED, MessageState.DEFERRED, sender_id=REPLACED, due_at=NOON,
                    source_kind=SourceKind.API, tries=1,
                ),
                _message(WAITS_REMOVED, MessageState.QUEUED, sender_id=REMOVED, due_at=NOON),
            ]
        )  # fmt: skip
        session.flush()
        session.add_all(
            [
                _event(71, SENT, EventKind.QUEUED),
                _event(72, SENT, EventKind.SENT),
                _event(73, CANCELLED, EventKind.QUEUED),
                _event(74, CANCELLED, EventKind.CANCELLED),
                Attempt(
                    message_id=SENT, n=1, stage=Stage.DATA, code=250, reply="OK", server="mx",
                    at=NOON,
                ),
            ]
        )  # fmt: skip


def _sender(number: int, **values: Any) -> Sender:
    return Sender(
        id=number,
        account_id=1,
        name=f"Sender {number}",
        send_from="a@b.example",
        from_key="a@b.example",
        from_domain="b.example",
        **values,
    )


def _message(number: int, state: MessageState, **values: Any) -> Message:
    given = {"source_kind": SourceKind.NOTIFICATION, "asset_id": 41, "type": "booking_made"}
    return Message(
        id=number,
        account_id=1,
        stream=Stream.TRANSACTIONAL,
        state=state,
        expires_at=NOON,
        content_id=51,
        to_addr="guest@b.example",
        to_key="guest@b.example",
        to_domain="b.example",
        **(given | values),
    )


def _event(number: int, message_id: int, kind: EventKind) -> Event:
    return Event(id=number, message_id=message_id, kind=kind, at=NOON, detail={})
