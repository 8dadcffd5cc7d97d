"""With a million messages no statement of the queue reads the whole table (R-SCALE)."""

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, make_url, text
from sqlmodel import Session, col, select, update

from kartramail.accounts.models import Account
from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox.claims import Claimer
from kartramail.outbox.floors import Floors
from kartramail.outbox.lane_looks import first_due, look
from kartramail.outbox.limits import reserve, set_limit
from kartramail.outbox.models import WAITS_AGAIN, Lane, Message
from kartramail.outbox.queue_figures import measure_queue
from kartramail.outbox.releases import postpone, release, release_others
from kartramail.outbox.results import Failed, Result, record_results
from kartramail.outbox.waiting import waiting
from kartramail.outbox.workers import reclaim, register_worker
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from kartramail.rules.streams import Stream
from kartramail.schema import migrate
from tests.support.outbox import add_account, add_messages

ROWS = 1_000_000
LANES = 20
LEASE = timedelta(seconds=15)

_READS_ALL = re.compile(r"Seq Scan on message\b|\bSCAN message(_\d+)?\b")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A database of its own with a million messages, half of which wait."""
    if request.param == "sqlite":
        path: Path = tmp_path_factory.mktemp("plans") / "kartramail.db"
        yield from _filled(f"sqlite:///{path}")
        return
    url = make_url(str(request.getfixturevalue("postgresql_url")))
    server = Database(url.render_as_string(hide_password=False))
    with server.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE DATABASE plans"))
        yield from _filled(url.set(database="plans").render_as_string(hide_password=False))
        connection.execute(text("DROP DATABASE plans"))
    server.dispose()


def _filled(url: str) -> Iterator[Database]:
    db = Database(url)
    migrate(db)
    with db.transaction() as session:
        for n in range(LANES // 2):
            account_id = add_account(session, email=f"jane{n}@doeinc.com")
            for stream in Stream:
                add_messages(session, account_id, 1, stream=stream)
    with db.transaction() as session:
        _multiply(session, ROWS // LANES - 1)
    with db.engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()
    yield db
    db.dispose()


def _multiply(session: Session, times: int) -> None:
    """Each message `times` times more; every second copy has been sent."""
    table = Message.__table__  # type: ignore[attr-defined]
    if session.connection().dialect.name == "sqlite":
        numbers = (
            "(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s"
            f" WHERE n < {times}) SELECT n FROM s)"
        )
    else:
        session.connection().execute(text("SET LOCAL session_replication_role = replica"))
        numbers = f"(SELECT n FROM generate_series(1, {times}) AS g(n))"
    changed = {
        "id": f"m.last + (n - 1) * {LANES} + m.place",  # each once, whatever the first were
        "due_at": "CASE WHEN n % 2 = 0 THEN m.due_at END",
        "state": "CASE WHEN n % 2 = 0 THEN m.state ELSE 'sent' END",
    }
    names = [column.name for column in table.columns]
    values = ", ".join(changed.get(name, f"m.{name}") for name in names)
    session.connection().execute(
        text(
            f"INSERT INTO message ({', '.join(names)}) SELECT {values} "
            f"FROM {numbers} AS numbers CROSS JOIN (SELECT *, max(id) OVER () AS last,"
            " row_number() OVER (ORDER BY id) AS place FROM message) AS m"
        )
    )


def _claim(session: Session, worker: int, count: int = 40) -> list[int]:
    return [one.id for one in Claimer(has_limits=True).claim(session, worker, count)]


def _record(session: Session, worker: int) -> None:
    outcomes: list[Any] = [
        Accepted(250, "Ok", "mx:25"),
        Deferred(Stage.RCPT, 451, "4.3.0 later", "mx:25"),
        Refused(Stage.RCPT, 550, "5.1.1 unknown", "mx:25"),
        Failed("no template"),
    ]
    ids = _claim(session, worker)
    results = [Result(one, outcomes[n % 4], None) for n, one in enumerate(ids)]
    assert record_results(session, worker, results) == len(results) == 40


def _reclaim(session: Session, worker: int) -> None:
    _claim(session, worker)
    assert reclaim(session, timedelta(seconds=-1)) >= 40


def _release(session: Session, worker: int) -> None:
    release(session, worker, _claim(session, worker))
    _claim(session, worker)
    release(session, worker)


def _postpone(session: Session, worker: int) -> None:
    due = now() + timedelta(minutes=1)
    postpone(session, worker, dict.fromkeys(_claim(session, worker), due))


def _release_others(session: Session, worker: int) -> None:
    ids = _claim(session, worker)
    assert release_others(session, worker, ids[:1]) == 39


def _waiting(session: Session, worker: int) -> None:
    account_id = session.exec(select(Account.id).limit(1)).one()
    assert waiting(session, account_id, has_limits=True, lease=LEASE)


def _first_due(session: Session, worker: int) -> None:
    assert first_due(session) is not None


def _figures(session: Session, worker: int) -> None:
    assert measure_queue(session, LEASE).due > ROWS // 3


def _claim_at_the_limit(session: Session, worker: int) -> None:
    """Every account has sent what it may, and each lane has two rows that were tried before."""
    accounts = session.exec(select(Account.id)).all()
    for account_id in accounts:
        set_limit(session, account_id, 1)
        for stream in Stream:
            reserve(session, account_id, stream, now().date(), 1, 1)
    lanes = session.exec(select(Lane.id)).all()
    session.connection().execute(  # what other tests have left
        update(Message)
        .where(col(Message.lane_id).in_(lanes), text(WAITS_AGAIN))
        .values(tries=0, deaths=0)
    )
    again = {one for lane_id in lanes for one in _last_of(session, lane_id, 2)}
    session.connection().execute(update(Message).where(col(Message.id).in_(again)).values(tries=1))
    claimer = Claimer(has_limits=True)
    taken = [one.id for _ in range(3) for one in claimer.claim(session, worker, 1_000)]
    assert sorted(taken) == sorted(again)
    for account_id in accounts:
        set_limit(session, account_id, None)


def _last_of(session: Session, lane_id: int, count: int) -> Sequence[int]:
    waits = (col(Message.lane_id) == lane_id, col(Message.due_at) <= now())
    order = (col(Message.due_at).desc(), col(Message.id).desc())
    return session.exec(select(Message.id).where(*waits).order_by(*order).limit(count)).all()


def _everything(session: Session, worker: int) -> None:
    session.exec(select(Message).where(col(Message.reply) == "nobody said this")).all()


def _plans(db: Database, work: Callable[[Session, int], None]) -> list[str]:
    """The plan of each statement about messages that `work` puts to the database.

    A row that is inserted needs no plan.
    """
    plans: list[str] = []
    explain = "EXPLAIN QUERY PLAN " if db.is_sqlite else "EXPLAIN "

    def note(by: Any, _cursor: Any, statement: str, values: Any, _x: Any, many: bool) -> None:
        if re.search(r"\bmessage\b", statement) and not statement.startswith("INSERT"):
            asking = by.connection.cursor()  # of the same transaction, with its settings
            asking.execute(explain + statement, values[0] if many else values)
            plans.append("\n".join([statement, *(str(row[-1]) for row in asking.fetchall())]))
            asking.close()

    with db.transaction() as session:
        worker = register_worker(session, "test", 1)
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with db.transaction() as session:
            work(session, worker)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    assert plans
    return plans


@pytest.mark.parametrize(
    "work",
    [
        _claim,
        _claim_at_the_limit,
        _record,
        _reclaim,
        _release,
        _postpone,
        _release_others,
        _waiting,
        _first_due,
    ],
    ids=lambda work: work.__name__.strip("_"),
)
def test_no_statement_reads_all_messages(
    full: Database, work: Callable[[Session, int], None]
) -> None:
    assert [plan for plan in _plans(full, work) if _READS_ALL.search(plan)] == []


def test_what_was_tried_before_is_claimed_by_an_index_of_its_own(full: Database) -> None:
    """At its limit a lane may have a million new rows before the first that may leave."""
    plans = [plan for plan in _plans(full, _claim_at_the_limit) if "tries + " in plan]
    assert len(plans) > LANES
    assert [plan for plan in plans if "ix_message_again" not in plan] == []


def test_a_look_at_the_lanes_reads_little_however_much_waits(full: Database) -> None:
    """By pages on PostgreSQL, by steps of its machine on SQLite: no clock is asked."""
    work = _pages_of_look(full) if full.engine.dialect.name == "postgresql" else _steps_of(full)
    assert 0 < work < LANES * 100, work


def _pages_of_look(db: Database) -> int:
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, statement: str, values: Any, _x: Any, _many: bool) -> None:
        seen.append((statement, values))

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        with db.reading() as session:
            assert len(look(session, now(), has_limits=False, floors=Floors())) == LANES
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    ((statement, values),) = (one for one in seen if "waiting_lanes" in one[0])
    with db.engine.connect() as connection:
        explained = connection.exec_driver_sql(
            "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, values
        ).scalar_one()
    top = explained[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


def _steps_of(db: Database) -> int:
    """Steps of SQLite's virtual machine, in whole hundreds, that a look takes."""
    steps = [0]

    def count() -> int:
        steps[0] += 100
        return 0

    with db.reading() as session:
        driver: Any = session.connection().connection.driver_connection
        driver.set_progress_handler(count, 100)
        try:
            assert len(look(session, now(), has_limits=False, floors=Floors())) == LANES
        finally:
            driver.set_progress_handler(None, 0)
    return steps[0]


def test_a_statement_that_reads_all_messages_is_seen(full: Database) -> None:
    assert any(_READS_ALL.search(plan) for plan in _plans(full, _everything))


@pytest.mark.parametrize("is_vacuumed", [False, True])
def test_the_figures_of_the_queue_read_what_waits_and_not_what_ended(
    full: Database, is_vacuumed: bool
) -> None:
    if is_vacuumed and not full.is_sqlite:
        with full.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM message"))
    (plan,) = (plan for plan in _plans(full, _figures) if "count(" in plan)
    assert not re.search(r"Seq Scan on message\b|\bSCAN message$", plan, re.MULTILINE), plan
    assert "ix_message_due" in plan
