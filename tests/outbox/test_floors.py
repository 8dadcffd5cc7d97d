"""Claims begin where a lane began at the last look, and nothing waits for ever below that."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox import claims, floors, lane_looks
from kartramail.outbox.claims import Claimer
from kartramail.outbox.floors import FRESH, Floors, Place
from kartramail.outbox.lanes import hold_lane, lane_id_for, open_lane
from kartramail.outbox.models import Message, MessageState
from kartramail.outbox.queue_figures import figures_floors, measure_queue
from kartramail.outbox.releases import postpone, release
from kartramail.outbox.results import Failed, Result, record_results
from kartramail.outbox.workers import beat, reclaim, register_worker
from kartramail.rules.replies import Accepted, Deferred, Refused, Stage
from kartramail.rules.streams import Stream
from tests.support.outbox import add_account, add_messages
from tests.support.statements import Statement, heard

COMMERCIAL = Stream.COMMERCIAL
AN_HOUR = timedelta(hours=1)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds by which looks from the beginning are timed; every claim looks at the lanes."""
    seconds = [1_000.0]
    monkeypatch.setattr(floors, "monotonic", lambda: seconds[0])
    monkeypatch.setattr(claims, "_LOOK_EVERY", 0)
    monkeypatch.setattr(claims, "_LOOK_SHARE", 0)
    return seconds


@pytest.fixture
def worker(db: Database) -> int:
    with db.transaction() as session:
        return register_worker(session, "test", 1)


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def take(db: Database, claimer: Claimer, worker: int, limit: int = 100) -> list[int]:
    with db.transaction() as session:
        return [one.id for one in claimer.claim(session, worker, limit)]


def add(db: Database, account_id: int, count: int, age: timedelta, **values: Any) -> list[int]:
    """Messages that are due for so long."""
    with db.transaction() as session:
        due_at = now() - age
        return add_messages(session, account_id, count, stream=COMMERCIAL, due_at=due_at, **values)


# -- nothing waits for ever -----------------------------------------------------------------------


def test_what_comes_in_far_below_leaves_after_a_look_from_the_beginning(
    db: Database, account_id: int, worker: int, clock: list[float]
) -> None:
    """By a commit that was very late, or by a clock that is an hour behind."""
    claimer = Claimer(has_limits=False)
    first = add(db, account_id, 3, timedelta(minutes=1))
    assert take(db, claimer, worker, 1) == first[:1]
    late = add(db, account_id, 1, AN_HOUR)
    if not db.is_sqlite:
        assert take(db, claimer, worker) == first[1:]
        assert take(db, claimer, worker) == []
        clock[0] += floors._LONGEST + 1
        assert take(db, claimer, worker) == late
    else:
        assert take(db, claimer, worker) == [*first[1:], *late]


def test_a_commit_that_is_a_moment_late_is_met_at_once(
    db: Database, account_id: int, worker: int, clock: list[float]
) -> None:
    claimer = Claimer(has_limits=False)
    (first,) = add(db, account_id, 1, timedelta(0))
    assert take(db, claimer, worker) == [first]
    late = add(db, account_id, 2, FRESH * 0.2)
    assert take(db, claimer, worker) == late


def test_what_is_given_back_put_off_or_hurried_leaves_without_one(
    db: Database, account_id: int, worker: int, clock: list[float]
) -> None:
    claimer = Claimer(has_limits=False)
    ids = add(db, account_id, 3, AN_HOUR)
    assert take(db, claimer, worker) == ids
    assert take(db, claimer, worker) == []
    later = Deferred(Stage.RCPT, 451, "4.3.0 later", "mx:25")
    with db.transaction() as session:
        release(session, worker, ids[:1])
        postpone(session, worker, {ids[1]: now()})
        assert record_results(session, worker, [Result(ids[2], later, None)]) == 1
        session.connection().execute(
            update(Message).where(col(Message.id) == ids[2]).values(due_at=now())
        )
    assert take(db, claimer, worker) == ids


def test_what_a_dead_worker_held_leaves_without_one(
    db: Database, account_id: int, worker: int, clock: list[float]
) -> None:
    claimer = Claimer(has_limits=False)
    ids = add(db, account_id, 3, AN_HOUR)
    assert take(db, claimer, worker) == ids
    with db.transaction() as session:
        assert reclaim(session, timedelta(seconds=-1)) == 3
        other = register_worker(session, "test", 2)
    assert take(db, claimer, other) == ids


def test_what_another_claim_gives_back_by_breaking_off_leaves_without_one(
    db: Database, account_id: int, worker: int, clock: list[float]
) -> None:
    """Its rows were locked, and passed over, when the floor was found."""
    if db.is_sqlite:
        return  # there is one writer at a time
    ids = add(db, account_id, 4, AN_HOUR)
    with db.transaction() as session:
        other = register_worker(session, "test", 2)
    claimer = Claimer(has_limits=False)
    with Session(db.engine) as breaking:
        held = [one.id for one in Claimer(has_limits=False).claim(breaking, other, 2)]
        assert held == ids[:2]
        assert take(db, claimer, worker) == ids[2:]
        assert take(db, claimer, worker) == []
        breaking.rollback()
    assert take(db, claimer, worker) == ids[:2]


def test_a_lane_that_was_held_goes_on_where_it_stopped(
    db: Database, account_id: int, worker: int, clock: list[float]
) -> None:
    claimer = Claimer(has_limits=False)
    ids = add(db, account_id, 3, AN_HOUR)
    assert take(db, claimer, worker, 1) == ids[:1]
    with db.transaction() as session:
        lane = lane_id_for(session, account_id, COMMERCIAL)
        assert hold_lane(session, account_id, lane)
    assert take(db, claimer, worker) == []
    with db.transaction() as session:
        assert open_lane(session, account_id, lane)
    assert take(db, claimer, worker) == ids[1:]


def test_a_lane_that_is_full_goes_on_where_it_stopped(
    db: Database, account_id: int, worker: int, clock: list[float]
) -> None:
    claimer = Claimer(has_limits=True)
    ids = add(db, account_id, 501, AN_HOUR)  # one more than a new account may send
    assert take(db, claimer, worker, 600) == ids[:500]
    assert take(db, claimer, worker) == []
    with db.transaction() as session:
        session.connection().execute(text("DELETE FROM sending_day"))
    assert take(db, claimer, worker) == ids[500:]


def test_what_is_scheduled_leaves_when_its_time_comes(
    db: Database, account_id: int, worker: int, clock: list[float]
) -> None:
    claimer = Claimer(has_limits=False)
    ids = add(db, account_id, 2, AN_HOUR)
    (later,) = add(db, account_id, 1, timedelta(seconds=-1))
    assert take(db, claimer, worker) == ids
    found: list[int] = []
    end = now() + timedelta(seconds=60)
    while not found and now() < end:
        found = take(db, claimer, worker)
    assert found == [later]


def test_new_lanes_are_found_before_between_and_behind_those_that_are_known(
    db: Database, account_id: int, worker: int, clock: list[float]
) -> None:
    claimer = Claimer(has_limits=False)
    old, lanes = (5_000, 7_000), (0, 4_000, 5_000, 6_000, 6_500, 7_000, 2**62)
    known = [one for lane in old for one in add(db, account_id, 1, AN_HOUR, lane_id=lane)]
    assert sorted(take(db, claimer, worker)) == known
    new = [one for lane in lanes for one in add(db, account_id, 1, timedelta(0), lane_id=lane)]
    assert sorted(take(db, claimer, worker)) == new


def test_a_look_from_the_beginning_takes_a_twentieth_of_the_time_or_comes_in_half_a_minute(
    clock: list[float],
) -> None:
    known = Floors()
    place = Place(now() - AN_HOUR, 7)
    known.note({1: place}, now(), is_whole=True, seconds=0.1)
    assert known.start() == {1: place}
    clock[0] += 1.9
    known.note({1: place}, now(), is_whole=False, seconds=0.1)
    assert known.start()
    clock[0] += 0.2
    assert known.start() == {}
    known.note({1: place}, now(), is_whole=True, seconds=60)
    clock[0] += 29
    assert known.start()
    clock[0] += 2
    assert known.start() == {}


def test_figures_look_from_the_beginning_now_and_then_however_long_it_takes(
    clock: list[float],
) -> None:
    known, place = Floors(whole_every=300), Place(now() - AN_HOUR, 7)
    known.note({1: place}, now(), is_whole=True, seconds=60)
    clock[0] += 299
    assert known.start() == {1: place}
    clock[0] += 2
    assert known.start() == {}


def test_very_many_lanes_that_are_empty_are_forgotten() -> None:
    known, place = Floors(), Place(now() - AN_HOUR, 7)
    known.note(dict.fromkeys(range(5_000), place), now(), is_whole=True, seconds=60)
    known.note({1: place}, now(), is_whole=False, seconds=1)
    assert len(known.start()) == 1_001


# -- and a claim reads little ---------------------------------------------------------------------

SENT, WAITING = 15_000, 500


@pytest.fixture
def backed_up(
    make_database_url: Callable[[str], str], clock: list[float]
) -> Iterator[tuple[Database, int]]:
    """PostgreSQL with many messages sent by one worker since a transaction began that goes on."""
    db = Database(make_database_url("postgresql"))
    with db.transaction() as session:
        worker = register_worker(session, "test", 1)
        add_messages(
            session,
            add_account(session),
            SENT + WAITING,
            stream=COMMERCIAL,
            due_at=now() - AN_HOUR,
        )
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE message"))
    with _old_snapshot(db):
        with db.transaction() as session:
            sent = text(f"SELECT id FROM message ORDER BY id LIMIT {SENT}")
            for values in (
                {"worker_id": worker, "due_at": None, "state": MessageState.SENDING},
                {"worker_id": None, "state": MessageState.SENT},
            ):
                session.connection().execute(
                    update(Message).where(col(Message.id).in_(sent)).values(**values)
                )
        yield db, worker
    db.dispose()


@contextmanager
def _old_snapshot(db: Database) -> Iterator[None]:
    """As a backup has it."""
    with db.engine.execution_options(isolation_level="REPEATABLE READ").connect() as backup:
        backup.execute(text("SELECT count(*) FROM account")).all()
        yield


def _pages(db: Database, work: Callable[[Session], None]) -> int:
    """Pages that PostgreSQL visits for the statements about messages of `work`, which is undone."""
    with heard(db) as statements, Session(db.engine) as session:
        work(session)
        session.rollback()
    seen = [one for one in statements if _is_about_messages(one[0])]
    assert seen
    pages = 0
    with db.engine.connect() as connection:
        for statement, values in _each_run(seen):
            if statement.startswith("SET LOCAL"):
                connection.exec_driver_sql(statement)
                continue
            explained = connection.exec_driver_sql(
                "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + statement, values
            ).scalar_one()
            top = explained[0]["Plan"]
            pages += int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])
        connection.rollback()
    return pages


def _is_about_messages(statement: str) -> bool:
    """Or says how such a one is to be planned."""
    is_asked = "message" in statement and not statement.startswith("INSERT")
    return is_asked or statement.startswith("SET LOCAL")


def _each_run(statements: list[Statement]) -> Iterator[Statement]:
    for statement, values in statements:
        yield from ((statement, one) for one in (values if isinstance(values, list) else [values]))


def _claim_twenty(claimer: Claimer, worker: int) -> Callable[[Session], None]:
    def claim(session: Session) -> None:
        assert len(claimer.claim(session, worker, 20)) == 20

    return claim


def test_claims_do_not_walk_over_what_has_left_however_old_a_transaction_there_is(
    backed_up: tuple[Database, int],
) -> None:
    db, worker = backed_up
    claimer = Claimer(has_limits=True)
    first = _pages(db, _claim_twenty(claimer, worker))
    then = _pages(db, _claim_twenty(claimer, worker))
    assert first > 2 * SENT // 40, "there is nothing to be saved"
    assert then < 600
    assert first > 2 * then


def test_looks_do_not_walk_over_what_has_left_a_lane_in_which_nothing_waits(
    backed_up: tuple[Database, int],
) -> None:
    db, worker = backed_up
    claimer = Claimer(has_limits=True)
    assert len(take(db, claimer, worker, WAITING)) == WAITING

    def claim(session: Session) -> None:
        assert claimer.claim(session, worker, 20) == []

    assert _pages(db, claim) < 100


@pytest.mark.parametrize("waiting_elsewhere", [0, 3])
def test_a_worker_that_was_not_there_walks_over_what_has_left_once(
    backed_up: tuple[Database, int], monkeypatch: pytest.MonkeyPatch, waiting_elsewhere: int
) -> None:
    """It begins while the old transaction goes on, and the lane is empty already."""
    monkeypatch.setattr(lane_looks, "_SLOW", 0)  # a million would be slow, the few here are not
    db, worker = backed_up
    assert len(take(db, Claimer(has_limits=True), worker, WAITING)) == WAITING
    with db.transaction() as session:
        for _ in range(waiting_elsewhere):  # lanes behind the one that is empty
            add_messages(session, add_account(session), 1, due_at=now() + AN_HOUR)
    begun_anew = Claimer(has_limits=True)

    def claim(session: Session) -> None:
        assert begun_anew.claim(session, worker, 20) == []

    first, second, third = (_pages(db, claim) for _ in range(3))
    assert first > 300, "there is nothing to be saved"
    assert second < 100
    assert third < 100


def test_a_look_that_is_quick_learns_no_lanes(
    db: Database, account_id: int, worker: int, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each lane that is known costs every look a step."""
    monkeypatch.setattr(lane_looks, "_SLOW", 60)
    add(db, account_id, 1, AN_HOUR)
    claimer = Claimer(has_limits=False)
    with db.transaction() as session:
        add_messages(session, add_account(session), 1, due_at=None)
    assert len(take(db, claimer, worker)) == 1
    assert len(claimer._floors.start()) == 1


def test_what_a_worker_has_held_before_is_not_visited_for_what_it_reports(
    backed_up: tuple[Database, int],
) -> None:
    db, worker = backed_up
    ids = take(db, Claimer(has_limits=False), worker, 40)
    outcomes: list[Any] = [
        Accepted(250, "Ok", "mx:25"),
        Deferred(Stage.RCPT, 451, "4.3.0 later", "mx:25"),
        Refused(Stage.RCPT, 550, "5.1.1 unknown", "mx:25"),
        Failed("no template"),
    ]
    results = [Result(one, outcomes[n % 4], None) for n, one in enumerate(ids)]

    def record(session: Session) -> None:
        assert record_results(session, worker, results) == 40

    def give_back(session: Session) -> None:
        release(session, worker, ids[:20])
        postpone(session, worker, dict.fromkeys(ids[20:], now()))

    # Some 25 pages for each row that is written; by worker it would be 400 for each statement.
    assert _pages(db, record) < 40 * 60
    assert _pages(db, give_back) < 60 * 60


def test_a_look_for_dead_workers_does_not_visit_what_the_living_have_held(
    backed_up: tuple[Database, int],
) -> None:
    db, worker = backed_up
    take(db, Claimer(has_limits=False), worker, 40)

    def bury(session: Session) -> None:
        assert reclaim(session, timedelta(seconds=60)) == 0

    assert _pages(db, bury) < 50


def test_figures_do_not_count_past_what_has_left_however_old_a_transaction_there_is(
    backed_up: tuple[Database, int],
) -> None:
    db, worker = backed_up
    known, lease = figures_floors(), timedelta(seconds=15)

    def measure(session: Session) -> None:
        assert beat(session, worker, 7)
        figures = measure_queue(session, lease, known, has_limits=True)
        assert (figures.due, figures.later, figures.held) == (WAITING, 0, 7)

    first = _pages(db, measure)
    then = _pages(db, measure)
    assert first > SENT // 40, "there is nothing to be saved"
    assert then < 100
