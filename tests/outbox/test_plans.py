"""With a million messages and a thousand accounts nothing that is asked all the time reads a whole
table (R-SCALE): neither of mail nor of accounts, nor of anything else that grows with them."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text
from sqlmodel import Session, col, select, update

from kartramail import create_app
from kartramail.clock import now
from kartramail.db import Database
from kartramail.delivery.loading import Loader
from kartramail.messages.compose import Composer
from kartramail.models import metadata
from kartramail.outbox import lane_looks
from kartramail.outbox.claims import Claimer
from kartramail.outbox.floors import Floors
from kartramail.outbox.lane_looks import look
from kartramail.outbox.models import Lane, LaneState, Message
from kartramail.outbox.results import Result, write_results
from kartramail.outbox.workers import register_worker
from kartramail.rules.replies import Accepted
from kartramail.schema import migrate
from kartramail.worker.process import ROUNDS
from kartramail.worker.rounds import run_due_rounds
from tests.conftest import make_settings
from tests.outbox.hot_pages import VISITS
from tests.outbox.hot_works import WORKS, Work, claims_at_the_limit, figures
from tests.support.million import LANES, ONLY_WHAT_IS_TO_BE_DONE, SMALL, Million, fill
from tests.support.plans import Plan, nothing_is_read_whole, plans_of
from tests.support.statements import heard

OFTEN = timedelta(minutes=5)
GROWING = frozenset(metadata.tables) - SMALL.keys()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def full(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A database of its own that is full."""
    if request.param == "sqlite":
        path: Path = tmp_path_factory.mktemp("plans") / "kartramail.db"
        yield from _filled(f"sqlite:///{path}")
        return
    url = make_url(str(request.getfixturevalue("postgresql_url")))
    server = Database(url.render_as_string(hide_password=False))
    with server.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("CREATE DATABASE plans"))
        yield from _filled(url.set(database="plans").render_as_string(hide_password=False))
        connection.execute(text("DROP DATABASE plans WITH (FORCE)"))
    server.dispose()


def _filled(url: str) -> Iterator[Million]:
    app = create_app(make_settings(url))
    db = app.extensions["kartramail"].db
    migrate(db)
    yield fill(app, db)
    db.dispose()


def _plans(full: Million, work: Work) -> list[Plan]:
    with full.db.transaction() as session:
        worker = register_worker(session, "test", 1)
    with (
        full.db.transaction() as session,
        nothing_is_read_whole(session.connection(), frozenset(SMALL)),
        plans_of(full.db) as plans,
    ):
        work(full, session, worker)
    assert plans
    return plans


@pytest.mark.parametrize("work", WORKS, ids=lambda work: work.__name__)
def test_no_statement_of_a_worker_reads_a_whole_table(full: Million, work: Work) -> None:
    assert "\n".join(_bad(_plans(full, work))) == ""


def _bad(plans: list[Plan]) -> list[str]:
    return [
        str(plan)
        for plan in plans
        if plan.read_whole & GROWING and not plan.indexes & ONLY_WHAT_IS_TO_BE_DONE.keys()
    ]


@pytest.mark.parametrize("name", VISITS)
def test_no_statement_for_a_page_or_a_program_reads_a_whole_table(full: Million, name: str) -> None:
    with plans_of(full.db) as plans:
        answers = VISITS[name](full)
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 202, 302, 303, 409}, "409: it cannot be tried again, as nobody tried"
    assert plans or name == "health"
    assert "\n".join(_bad(plans)) == ""


def test_loading_what_was_claimed_and_writing_down_that_it_was_taken_reads_no_whole_table(
    full: Million,
) -> None:
    """As a worker does it, in transactions of its own and past the session."""
    settings = full.app.extensions["kartramail"].settings
    with full.db.transaction() as session:
        worker = register_worker(session, "test", 1)
        batch = Claimer(has_limits=False).claim(session, worker, 100)
    with plans_of(full.db) as plans:
        loaded = Loader(settings, Composer()).load(full.db, batch, worker)
        assert len(loaded) == 100
        taken = [Result(one.id, Accepted(250, "Ok", "mx:25"), None) for one in batch]
        assert write_results(full.db, {worker: taken}) == 100
    assert any(plan.statement.lstrip().startswith("UPDATE") for plan in plans)
    assert "\n".join(_bad(plans)) == ""


@pytest.mark.parametrize("name", [one.name for one in ROUNDS if one.every <= OFTEN])
def test_no_round_that_comes_often_reads_a_whole_table(full: Million, name: str) -> None:
    (round_,) = (one for one in ROUNDS if one.name == name)
    with plans_of(full.db) as plans:
        assert run_due_rounds(full.app.extensions["kartramail"], [round_]) == [name]
    assert plans
    assert "\n".join(_bad(plans)) == ""


def test_what_was_tried_before_is_claimed_by_an_index_of_its_own(full: Million) -> None:
    """At its limit a lane may have a million new rows before the first that may leave."""
    plans = [plan for plan in _plans(full, claims_at_the_limit) if "tries + " in plan.statement]
    assert len(plans) > LANES
    assert [plan for plan in plans if "ix_message_again" not in plan.indexes] == []


def test_a_look_at_the_lanes_reads_little_however_much_waits(full: Million) -> None:
    """By pages on PostgreSQL, by steps of its machine on SQLite: no clock is asked."""
    db = full.db
    work = _pages_of_look(db) if db.engine.dialect.name == "postgresql" else _steps_of(db)
    assert 0 < work < LANES * 100, work


def test_a_look_that_met_much_that_has_left_reads_no_whole_table(
    full: Million, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long it took is measured where it works; here every look is a long one."""
    monkeypatch.setattr(lane_looks, "_SLOW", 0.0)
    with plans_of(full.db) as plans, full.db.reading() as session:
        assert look(session, now(), has_limits=False, floors=Floors())
    newest = [plan for plan in plans if "ORDER BY lane.id DESC" in plan.statement]
    assert len(newest) == (0 if full.db.is_sqlite else 1)
    assert "\n".join(_bad(plans)) == ""


@pytest.mark.parametrize("by_index", [True, False])
def test_what_came_in_since_the_table_was_analysed_is_not_sorted_for_each_claim(
    full: Million, by_index: bool
) -> None:
    """A worker goes by indexes whatever PostgreSQL guesses. Without that, it is seen here."""
    if full.db.is_sqlite:
        return  # it keeps no statistics unless it is asked to
    db = Database(full.db.url, by_index=by_index)
    with db.transaction() as session:
        worker = register_worker(session, "test", 1)
    with db.engine.connect() as connection, plans_of(db) as plans:
        connection.rollback()  # what a connection was told outlives that
        with Session(connection) as session:
            _forget_statistics(session)
            _hold_all_lanes_but_one(session)
            assert len(Claimer(has_limits=False).claim(session, worker, 300)) == 300
            session.rollback()
    db.dispose()
    (claim,) = [plan for plan in plans if "next_in_lane" in plan.statement]
    assert ("Sort" in claim.shown) is not by_index
    assert "ix_message_due" in claim.indexes


def _hold_all_lanes_but_one(session: Session) -> None:
    (open_lane, *_) = look(session, now(), has_limits=False, floors=Floors())
    others = col(Lane.id) != open_lane.id
    session.connection().execute(update(Lane).where(others).values(state=LaneState.HELD))


def _forget_statistics(session: Session) -> None:
    run = session.connection().execute
    run(text("SELECT pg_clear_relation_stats('public', 'message')"))
    for column in metadata.tables["message"].columns:
        clear = text("SELECT pg_clear_attribute_stats('public', 'message', :name, false)")
        run(clear, {"name": column.name})


def _pages_of_look(db: Database) -> int:
    with heard(db) as seen, db.reading() as session:
        assert len(look(session, now(), has_limits=False, floors=Floors())) == LANES
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


@pytest.mark.parametrize("table", sorted(GROWING))
def test_every_table_that_grows_is_large_enough_to_see_it_read_whole(
    full: Million, table: str
) -> None:
    """Else a plan without an index would be a good one, and say nothing."""
    with full.db.engine.connect() as connection:
        key = next(iter(metadata.tables[table].primary_key)).name
        one = connection.execute(text(f'SELECT {key} FROM "{table}" LIMIT 1')).scalar_one()
        with plans_of(full.db) as plans:
            connection.execute(text(f'SELECT count(*) FROM "{table}"'))
            connection.execute(text(f'SELECT * FROM "{table}" WHERE {key} = :one'), {"one": one})
            connection.execute(text(f'SELECT {key} FROM "{table}" ORDER BY {key} DESC LIMIT 2000'))
    whole, by_key, not_so_few = plans
    assert whole.read_whole == {table}
    assert by_key.read_whole == set()
    assert not_so_few.read_whole == {table}


def _everything(full: Million, session: Session, worker: int) -> None:
    session.exec(select(Message).where(col(Message.reply) == "nobody said this")).all()


def test_a_statement_that_reads_all_messages_is_seen(full: Million) -> None:
    with pytest.raises(AssertionError, match=r"message|steps"):
        _plans(full, _everything)


@pytest.mark.parametrize("is_vacuumed", [False, True])
def test_the_figures_of_the_queue_read_what_waits_and_not_what_ended(
    full: Million, is_vacuumed: bool
) -> None:
    if is_vacuumed and not full.db.is_sqlite:
        with full.db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(text("VACUUM message"))
    with plans_of(full.db) as plans, full.db.reading() as session:
        figures(full, session, 0)
    counts = (plan for plan in plans if re.search(r"count\(.*FROM message", plan.statement, re.S))
    (plan,) = (plan for plan in counts if plan.indexes)
    assert not re.search(r"Seq Scan.* message\b|\bSCAN message$", plan.shown, re.MULTILINE), plan
    assert "ix_message_due" in plan.indexes


def test_metrics_read_no_table_whole_but_count_what_waits(full: Million) -> None:
    with plans_of(full.db) as plans:
        assert full.app.test_client().get("/metrics").status_code == 200
    bad = [plan for plan in plans if plan.read_whole & GROWING]
    assert all(plan.indexes == {"ix_message_due"} for plan in bad), bad
    assert len(bad) == (1 if full.db.is_sqlite else 0)
