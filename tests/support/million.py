"""A database like that of a busy platform: a million messages, a thousand accounts, and of all that
grows with either as much as makes a planner look for an index. Made by the database itself."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import BigInteger, Connection, Table, text
from sqlmodel import Session, SQLModel, col, insert, select, update

from kartramail.accounts.api_keys import make_api_key
from kartramail.assets.models import Asset, ScheduledEvent
from kartramail.clock import now
from kartramail.db import Database
from kartramail.domains.models import SendingDomain
from kartramail.ids import new_id, show_id
from kartramail.models import metadata
from kartramail.outbox.models import Content, Idempotency, Lane, Message, SendingDay
from kartramail.outbox.old_messages import OldMessage
from kartramail.rules.streams import Stream
from kartramail.senders.models import Sender
from tests.support.cast import Actor, make_alice
from tests.support.one_of_each import add_one_of_each
from tests.support.outbox import add_account, add_messages

ROWS = 1_000_000
LANES = 20
"""Those with messages in them: two of each account that sends."""

ACCOUNTS = 1_000
"""Others, each with all that Alice has but her mail."""

CONTENTS = 200
"""Of each account that sends, two streams alike."""

REQUESTS = 1_000
"""That each account that sends has made under a key of its own."""

BOOKINGS = 20
"""That each account is to be reminded of."""

DAYS = 30
"""On which each account has sent something."""

SMALL = {
    "worker": "one row a process",
    "round": "one row a kind of work",
    "destination": "the recipient domains that are slow just now, which every process reads whole",
    "alembic_version": "one row",
}
"""Tables that do not grow with mail or accounts, and why: a planner may as well read them whole."""

ONLY_WHAT_IS_TO_BE_DONE = {"ix_domain_claim_untold": "domains whose earlier owners are to be told"}
"""Indexes that hold a few rows for a moment: to read one whole is to do the work."""

_SHIFT = 1 << 35
"""Between the ids of copies, some 16 seconds of them."""

_NOT_COPIED = {"message", "attempt", "event", "old_message", "idempotency", *SMALL}
_UNIQUE_WORDS = {
    "user": "email_key",
    "one_time_token": "hash",
    "api_key": "hash",
    "placeholder": "local",
    "sending_domain": "domain",
    "domain_claim": "domain",
    "failed_sign_in": "email_key",
}
"""What must differ in copies besides their ids."""


@dataclass(frozen=True)
class Million:
    """The database, and Alice, who is one of those that send, with a key for her programs.

    `shown` has an id of something of hers as it is shown: of a message by its state, of an old
    message, of her calendar, lane and second sender.
    """

    app: Flask
    db: Database
    alice: Actor
    key: str
    accounts: Sequence[int]
    lanes: Sequence[int]
    shown: Mapping[str, str]


def fill(app: Flask, db: Database) -> Million:
    """Fill a migrated database that is empty."""
    alice = make_alice(app)
    with db.transaction() as session:
        _, key = make_api_key(session, alice.account_id, "a program", None)
        asset_id, resolved_id = add_one_of_each(session, alice)
        _add_days(session, alice.account_id)
        _add_bookings(session, alice.account_id, asset_id)
    _copy_accounts(db)
    with db.transaction() as session:
        others = [add_account(session, email=f"jane{n}@doeinc.com") for n in range(1, LANES // 2)]
        accounts = [alice.account_id, *others]
        for account_id in accounts:
            for stream in Stream:
                add_messages(session, account_id, 1, stream=stream)
            _add_requests(session, account_id)
        lanes = session.exec(select(Message.lane_id)).all()
        tomorrow = now() + timedelta(days=1)  # no domain is to be looked up just now
        session.connection().execute(update(SendingDomain).values(next_check_at=tomorrow))
    _multiply(db, {"alice": alice.account_id, "asset": asset_id, "resolved": resolved_id})
    with db.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    return Million(app, db, alice, key, accounts, lanes, _shown(db, alice.account_id))


def _shown(db: Database, account_id: int) -> dict[str, str]:
    wanted: dict[str, tuple[Any, Any]] = {
        "asset": (Asset, col(Asset.kind) == "calendar"),
        "sender": (Sender, col(Sender.from_domain) == "doe-events.com"),
        "lane": (Lane, col(Lane.source) == "mail"),
        "old": (OldMessage, col(OldMessage.tries) > 0),
        **{state: (Message, col(Message.state) == state) for state in ("sent", "queued")},
        **{state: (Message, col(Message.state) == state) for state in ("bounced", "failed")},
    }
    with db.reading() as session:
        return {
            name: show_id(
                session.exec(
                    select(table.id).where(table.account_id == account_id, condition).limit(1)
                ).one()
            )
            for name, (table, condition) in wanted.items()
        }


# -- accounts -------------------------------------------------------------------------------------


def _copy_accounts(db: Database) -> None:
    """All rows there are `ACCOUNTS` times more, whole accounts with other numbers."""
    with _unchecked(db) as connection:
        for table in metadata.sorted_tables:
            if table.name not in _NOT_COPIED:
                _copy(connection, table, ACCOUNTS, _account_shifted(table))


def _account_shifted(table: Table) -> dict[str, str]:
    changed = {
        column.name: f"CASE WHEN {column.name} = 0 THEN 0 ELSE {column.name} - n * {_SHIFT} END"
        for column in table.columns
        if isinstance(column.type, BigInteger)
    }
    words = _UNIQUE_WORDS.get(table.name)
    return changed | ({words: f"n || '-' || substr({words}, 1, 50)"} if words else {})


def _copy(
    connection: Connection,
    table: Table,
    times: int,
    changed: dict[str, str],
    source: str | None = None,
    **values: Any,
) -> None:
    """Each row of the table, or of `source`, so many times more, the `n`th one changed so."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    selected = ", ".join(changed.get(column.name, f'"{column.name}"') for column in table.columns)
    rows = source or f'"{table.name}"'
    connection.execute(
        text(
            f'INSERT INTO "{table.name}" ({names}) SELECT {selected}'
            f" FROM {_numbers(connection, times)} AS numbers CROSS JOIN {rows}"
        ),
        values,
    )


def _numbers(connection: Connection, times: int) -> str:
    if connection.dialect.name == "sqlite":
        return (
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s"
            f" WHERE n < {times}) SELECT n FROM s)"
        )
    return f"(SELECT n FROM generate_series(1, {times}) AS g(n))"


@contextmanager
def _unchecked(db: Database) -> Iterator[Connection]:
    """Foreign keys are not looked up for each of a million rows."""
    with db.engine.connect() as connection:
        if db.is_sqlite:
            driver: Any = connection.connection.driver_connection
            driver.execute("PRAGMA foreign_keys=OFF")
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
        yield connection
        connection.commit()
        if db.is_sqlite:
            driver.execute("PRAGMA foreign_keys=ON")


# -- mail -----------------------------------------------------------------------------------------


def _multiply(db: Database, numbers: dict[str, int]) -> None:
    """Each message until there are a million. Every second copy has ended: most of these were
    sent, some bounced or failed, and of Alice's some are of other kinds."""
    values = numbers | {"place": LANES}
    with _unchecked(db) as connection:
        _copy(connection, _table(Message), ROWS // LANES - 1, _MESSAGE, _BASE, **values)
        _copy(connection, _table(Content), CONTENTS, _CONTENT, _WITH_MAIL)
        for statement in _WHAT_BECAME_OF_THEM:
            connection.execute(text(statement))


_BASE = """(
    SELECT *, max(id) OVER () AS last, row_number() OVER (ORDER BY id) AS place FROM message
) AS m"""
_MESSAGE = {
    "id": "last + (n - 1) * :place + place",
    "due_at": "CASE WHEN n % 2 = 0 THEN due_at END",
    "state": "CASE WHEN n % 2 = 0 THEN state WHEN n % 50 = 1 THEN 'bounced'"
    " WHEN n % 50 = 3 THEN 'failed' ELSE 'sent' END",
    "sent_at": "CASE WHEN n % 2 = 1 THEN created_at END",
    "tries": "n % 2",
    "attempts": "n % 2",
    "to_addr": "'r' || (100000 + n) || '@example.net'",
    "to_key": "'r' || (100000 + n) || '@example.net'",
    "source_kind": "CASE WHEN n % 1000 = 5 THEN 'test' WHEN n % 1000 = 7 THEN 'sample'"
    " ELSE source_kind END",
    "asset_id": "CASE WHEN n % 100 = 9 AND account_id = :alice THEN CAST(:asset AS BIGINT) END",
    "type": "CASE WHEN n % 100 = 9 THEN 'calendar.booked' END",
    "resolved_id": "CASE WHEN n % 2 = 1 THEN CAST(:resolved AS BIGINT) END",
    "content_id": "CASE WHEN n % 2 = 0 THEN content_id"
    f" ELSE content_id - n / {ROWS // LANES // CONTENTS} * {_SHIFT} END",
}
_CONTENT = {"id": f"id - n * {_SHIFT}", "hash": "n || '-' || substr(hash, 9)"}
_WITH_MAIL = "(SELECT * FROM content WHERE id IN (SELECT content_id FROM message LIMIT 20)) AS c"
_WHAT_BECAME_OF_THEM = (
    "INSERT INTO attempt (message_id, n, stage, code, reply, server, at) SELECT id, 1, 'rcpt', 550,"
    " '5.1.1 unknown', 'mx:25', created_at FROM message WHERE state = 'bounced'",
    "INSERT INTO event (id, message_id, kind, at, detail) SELECT id, id, state, created_at, '{}'"
    " FROM message WHERE state = 'failed'",
    "INSERT INTO old_message (id, account_id, stream, state, source_kind, to_domain, created_at,"
    " sent_at, tries, attempts, resolved_id) SELECT id - 1000000000000000, account_id, stream,"
    " state, source_kind, to_domain, created_at, sent_at, tries, attempts, resolved_id"
    " FROM message WHERE state = 'bounced'",
)


def _add_requests(session: Session, account_id: int) -> None:
    session.connection().execute(
        insert(Idempotency),
        [
            {
                "account_id": account_id, "endpoint": "POST /messages", "key": f"key-{n}",
                "request_hash": "0" * 64, "response": {"id": "x"},
                "expires_at": now() + timedelta(days=n % 7 + 1),
            }
            for n in range(REQUESTS)
        ],
    )  # fmt: skip


def _add_days(session: Session, account_id: int) -> None:
    today = now().date()
    session.connection().execute(
        insert(SendingDay),
        [
            {"account_id": account_id, "stream": one, "day": today - timedelta(days=n), "count": 9}
            for one in Stream
            for n in range(1, DAYS)
        ],
    )


def _add_bookings(session: Session, account_id: int, asset_id: int) -> None:
    at = now()
    session.connection().execute(
        insert(ScheduledEvent),
        [
            {
                "id": new_id(), "account_id": account_id, "asset_id": asset_id,
                "type": "calendar.reminder_24h", "key": f"booking-{n}",
                "due_at": at + timedelta(days=1), "starts_at": at + timedelta(days=2),
                "contact": {}, "variables": {}, "message_ids": [],
            }
            for n in range(BOOKINGS)
        ],
    )  # fmt: skip


def _table(model: type[SQLModel]) -> Table:
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found
