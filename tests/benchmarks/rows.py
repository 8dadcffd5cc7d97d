"""Rows of the outbox by the hundred thousand: one as the application writes it, the rest by SQL.

The first row is made by `tests.support.outbox`, so that it is whatever the schema asks for now;
one INSERT … SELECT multiplies it, with a recipient, an id and variables for each.
"""

import time

from sqlalchemy import Connection, text
from sqlmodel import col, delete

from kartramail.db import Database
from kartramail.ids import new_id
from kartramail.outbox.models import Attempt, Event, Message
from tests.benchmarks.letters import Letter
from tests.support.domains import forget_domains
from tests.support.outbox import add_account, add_messages

_SERIES = {
    "sqlite": "(WITH RECURSIVE series(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM series "
    "WHERE n + 1 < :count) SELECT n FROM series)",
    "postgresql": "(SELECT n FROM generate_series(0, :count - 1) AS series(n))",
}
_VARIABLES = {
    "sqlite": "json_object('name', 'Person ' || series.n, 'number', series.n)",
    "postgresql": "json_build_object('name', 'Person ' || series.n, 'number', series.n)",
}


def make_account(db: Database) -> int:
    """An account that can send. Returns its number."""
    with db.transaction() as session:
        account_id = add_account(session)
    forget_domains(db)  # or the worker would make keys for it and look it up meanwhile
    return account_id


def fill(db: Database, account_id: int, letter: Letter, count: int, domains: int = 100) -> float:
    """Queue so many messages in one transaction, due now, spread evenly over so many domains.

    Returns the moment of the commit, of `time.perf_counter`.
    """
    with db.transaction() as session:
        (template,) = add_messages(session, account_id, 1, words=letter.words())
        connection = session.connection()
        _multiply(connection, template, count, domains)
        connection.execute(delete(Message).where(col(Message.id) == template))
    return time.perf_counter()


def domain_of(number: int) -> str:
    """The recipient domain of that number."""
    return f"domain{number}.example"


def _multiply(connection: Connection, template: int, count: int, domains: int) -> None:
    """Ids count up from a new one: a million of them are half a millisecond of time."""
    kind = connection.dialect.name
    address = "'person' || series.n || '@domain' || (series.n % :domains) || '.example'"
    chosen = {
        "id": ":first + series.n",
        "to_addr": address,
        "to_key": address,
        "to_domain": "'domain' || (series.n % :domains) || '.example'",
        "variables": _VARIABLES[kind],
    }
    columns = [column.name for column in Message.__table__.columns]  # type: ignore[attr-defined]
    values = ", ".join(chosen.get(name, f"message.{name}") for name in columns)
    connection.execute(
        text(
            f"INSERT INTO message ({', '.join(columns)}) SELECT {values} "
            f"FROM message CROSS JOIN {_SERIES[kind]} AS series WHERE message.id = :template"
        ),
        {"first": new_id(), "count": count, "domains": domains, "template": template},
    )


def analyse(db: Database) -> None:
    """Tell the database what its tables look like, as it would find out by itself in time."""
    with db.transaction() as session:
        session.connection().execute(text("ANALYZE"))


def forget_messages(db: Database) -> None:
    """Take away all messages and what was noted of them."""
    with db.transaction() as session:
        for table in (Attempt, Event, Message):
            session.connection().execute(delete(table))
