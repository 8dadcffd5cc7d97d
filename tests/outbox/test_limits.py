"""Daily limits and the warm-up of new accounts (R-FAIR), on both databases."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import date, timedelta
from time import sleep
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, col, select, update

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox import claims, limits, releases
from kartramail.outbox.claims import Claimed, Claimer
from kartramail.outbox.lanes import PLATFORM, hold_lane, lane_id_for
from kartramail.outbox.limits import load_limits, set_limit
from kartramail.outbox.models import Message, MessageState, SendingDay, SourceKind
from kartramail.outbox.releases import postpone, release, release_others
from kartramail.outbox.workers import register_worker, sign_off
from kartramail.rules.streams import Stream
from kartramail.rules.warm_up import MOST_EARLIER_DAYS, daily_limit
from tests.support.outbox import add_account, add_messages
from tests.support.statements import heard

COMMERCIAL = Stream.COMMERCIAL


@pytest.fixture
def account_id(db: Database) -> int:
    with db.transaction() as session:
        return add_account(session)


def take(session: Session, limit: int, *, claimer: Claimer | None = None) -> list[int]:
    """What a worker of its own can claim."""
    claimer = claimer or Claimer(has_limits=True)
    return [one.id for one in claimer.claim(session, register_worker(session, "test", 1), limit)]


def counted(session: Session) -> dict[date, int]:
    """How many were counted, by day."""
    return dict(session.exec(select(SendingDay.day, SendingDay.count)).all())


def test_a_new_account_starts_small_and_may_send_more_each_day() -> None:
    plan = [daily_limit(COMMERCIAL, days, None) for days in range(20)]
    assert plan == sorted(plan)
    assert plan[0] == 500
    assert plan[-1] == 1_000_000


def test_the_operator_decides_over_the_plan() -> None:
    assert daily_limit(COMMERCIAL, 0, 9) == 9


@pytest.mark.parametrize("stream", Stream)
@pytest.mark.parametrize("days", [0, 1, 3, 12, 13, 40])
def test_each_earlier_day_with_mail_of_a_stream_counts_for_its_plan(
    db: Database, account_id: int, stream: Stream, days: int
) -> None:
    (other_stream,) = set(Stream) - {stream}
    with db.transaction() as session:
        add_history(session, [account_id], days, stream)
        unused = now().date() - timedelta(days=days + 1)  # all that was counted came back
        session.add(SendingDay(account_id=account_id, stream=stream, day=unused, count=0))
        today = SendingDay(account_id=account_id, stream=stream, day=now().date(), count=7)
        session.add(today)
        session.flush()
        assert load_limits(session, [account_id]) == {
            (account_id, stream): (daily_limit(stream, days, None), 7),
            (account_id, other_stream): (daily_limit(other_stream, 0, None), 0),
        }
        before = load_limits(session, [account_id], now().date() - timedelta(days=1))
        sent = daily_limit(stream, max(0, days - 1), None), min(days, 1) * 5
        assert before[account_id, stream] == sent


def test_to_know_the_limits_costs_no_more_for_years_of_mail(db: Database) -> None:
    """By the rows that PostgreSQL reads, and by the steps of SQLite: no clock is asked."""
    with db.transaction() as session:
        accounts = [add_account(session, f"Other {n}", f"jo@company{n}.com") for n in range(5)]
        for stream in Stream:
            add_history(session, accounts, 20, stream)
    few = _steps_of_limits(db, accounts) if db.is_sqlite else 0
    with db.transaction() as session:
        for stream in Stream:
            add_history(session, accounts, 700, stream, after=20)
    if db.is_sqlite:
        assert 0 < _steps_of_limits(db, accounts) <= few * 1.1
    else:
        most = len(accounts) * len(Stream) * (MOST_EARLIER_DAYS + 1)
        assert 0 < _rows_of_limits(db, accounts) <= most


def add_history(
    session: Session, accounts: list[int], days: int, stream: Stream, after: int = 0
) -> None:
    """Each has sent 5 messages on each of so many earlier days, or on those up to there."""
    today = now().date()
    session.add_all(
        SendingDay(account_id=one, stream=stream, day=today - timedelta(days=n), count=5)
        for one in accounts
        for n in range(after + 1, days + 1)
    )
    session.flush()


def _rows_of_limits(db: Database, accounts: list[int]) -> int:
    with db.engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE sending_day"))
    with heard(db) as seen, db.reading() as session:
        load_limits(session, accounts)
    ((statement, values),) = (one for one in seen if "sending_day" in one[0])
    with db.engine.connect() as connection:
        explained = connection.exec_driver_sql(
            "EXPLAIN (ANALYZE, FORMAT JSON) " + statement, values
        ).scalar_one()
    return _rows_read(explained[0]["Plan"])


def _rows_read(node: dict[str, Any]) -> int:
    read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
    mine = read * node["Actual Loops"] if node.get("Relation Name") == "sending_day" else 0
    return int(mine) + sum(_rows_read(inner) for inner in node.get("Plans", ()))


def _steps_of_limits(db: Database, accounts: list[int]) -> int:
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    with db.reading() as session:
        load_limits(session, accounts)  # its statements are compiled
        driver: Any = session.connection().connection.driver_connection
        driver.set_progress_handler(count, 1)
        try:
            load_limits(session, accounts)
        finally:
            driver.set_progress_handler(None, 0)
    return steps[0]


def reach_limit(session: Session, account_id: int) -> None:
    """The account has begun to send what it may today."""
    set_limit(session, account_id, 1)
    session.add(SendingDay(account_id=account_id, stream=COMMERCIAL, day=now().date(), count=1))
    session.flush()


def tried_before(session: Session, ids: list[int], *, tries: int = 1, deaths: int = 0) -> None:
    session.connection().execute(
        update(Message)
        .where(col(Message.id).in_(ids))
        .values(tries=tries, deaths=deaths, state=MessageState.DEFERRED)
    )


def test_no_more_than_the_limit_leaves_in_a_day(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 60, stream=COMMERCIAL)
        set_limit(session, account_id, 25)
        claimer = Claimer(has_limits=True)
        taken = [len(take(session, 10, claimer=claimer)) for _ in range(6)]
        assert sum(taken) == 25
        assert counted(session) == {now().date(): 25}


def test_receipts_go_on_where_the_limit_of_commercial_mail_is_reached(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 5, stream=COMMERCIAL)
        set_limit(session, account_id, 2)
        assert len(take(session, 10)) == 2
        (receipt,) = add_messages(session, account_id, 1)
        assert take(session, 10) == [receipt]


@pytest.mark.parametrize("beside", [0, 5], ids=["by itself", "beside mail that has one"])
def test_mail_of_the_platform_has_no_limit(db: Database, account_id: int, beside: int) -> None:
    with db.transaction() as session:
        lane = lane_id_for(session, account_id, Stream.TRANSACTIONAL, PLATFORM)
        links = add_messages(session, account_id, 5, lane_id=lane)
        for _ in range(beside):
            add_messages(session, account_id, 1)
        set_limit(session, account_id, 0)
        assert take(session, 20) == links


def test_one_account_s_limit_is_not_another_s(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        other = add_account(session, "Other", "jo@yourcompany.com")
        set_limit(session, account_id, 0)
        add_messages(session, account_id, 3, stream=COMMERCIAL)
        theirs = add_messages(session, other, 3, stream=COMMERCIAL)
        assert take(session, 10) == theirs


def test_the_limit_holds_however_many_workers_claim_with_old_looks(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 60, stream=COMMERCIAL)
        set_limit(session, account_id, 25)
        claimers = [Claimer(has_limits=True) for _ in range(4)]
        for claimer in claimers:
            take(session, 1, claimer=claimer)  # each has looked, and believes the rest is free
        taken = sum(len(take(session, 20, claimer=claimer)) for claimer in claimers)
        assert 4 + taken == 25


def test_a_day_later_the_account_may_send_again_and_more(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 2_000, stream=COMMERCIAL)
        assert len(take(session, 2_000)) == 500
        session.connection().execute(
            update(SendingDay).values(day=now().date() - timedelta(days=1))
        )
        assert len(take(session, 2_000)) == 1_000


def test_what_goes_back_unsent_is_not_counted(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 4, stream=COMMERCIAL)
        claimer, worker = Claimer(has_limits=True), register_worker(session, "test", 1)
        ids = [one.id for one in claimer.claim(session, worker, 10)]
        postpone(session, worker, {ids[0]: now() + timedelta(minutes=1)})
        assert counted(session) == {now().date(): 3}
        release(session, worker)
        assert counted(session) == {now().date(): 0}


@pytest.mark.parametrize("source_kind", [SourceKind.PLATFORM, SourceKind.TEST])
def test_mail_of_the_platform_that_goes_back_makes_no_room(
    db: Database, account_id: int, source_kind: SourceKind
) -> None:
    """It was never counted, so it cannot be taken off what the account has sent."""
    with db.transaction() as session:
        add_messages(session, account_id, 4)
        set_limit(session, account_id, 4)
        assert len(take(session, 10)) == 4
        lane = lane_id_for(session, account_id, Stream.TRANSACTIONAL, PLATFORM)
        add_messages(session, account_id, 2, lane_id=lane, source_kind=source_kind)
        claimer, worker = Claimer(has_limits=True), register_worker(session, "test", 1)
        ids = [one.id for one in claimer.claim(session, worker, 10)]
        postpone(session, worker, {ids[0]: now() + timedelta(minutes=1)})
        release(session, worker)
        assert counted(session) == {now().date(): 4}


A_DAY = timedelta(days=1)


def let_midnight_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is a day later from now on, for claims and for what gives rows back."""
    for module in (claims, limits, releases):
        monkeypatch.setattr(module, "now", lambda: now() + A_DAY)


@pytest.mark.parametrize(
    "give_back",
    [
        release,
        lambda session, worker, ids: postpone(session, worker, dict.fromkeys(ids, now() + A_DAY)),
        lambda session, worker, ids: release_others(session, worker, []),
        lambda session, worker, ids: sign_off(session, worker),
    ],
    ids=["release", "postpone", "release_others", "sign_off"],
)
def test_what_was_claimed_before_midnight_and_goes_back_after_it_makes_no_room_in_the_new_day(
    db: Database,
    account_id: int,
    monkeypatch: pytest.MonkeyPatch,
    give_back: Callable[[Session, int, list[int]], None],
) -> None:
    today = now().date()
    with db.transaction() as session:
        add_messages(session, account_id, 4, stream=COMMERCIAL)
        worker = register_worker(session, "test", 1)
        ids = [one.id for one in Claimer(has_limits=True).claim(session, worker, 10)]
        assert counted(session) == {today: 4}
        let_midnight_pass(monkeypatch)
        add_messages(session, account_id, 6, stream=COMMERCIAL)
        assert len(take(session, 10)) == 6
        give_back(session, worker, ids)
        assert counted(session) == {today: 0, today + A_DAY: 6}


def test_what_went_back_and_is_claimed_on_the_next_day_is_counted_there(
    db: Database, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = now().date()
    with db.transaction() as session:
        add_messages(session, account_id, 4, stream=COMMERCIAL)
        worker = register_worker(session, "test", 1)
        Claimer(has_limits=True).claim(session, worker, 10)
        let_midnight_pass(monkeypatch)
        release(session, worker)
        assert len(Claimer(has_limits=True).claim(session, worker, 10)) == 4
        assert counted(session) == {today: 0, today + A_DAY: 4}
        release(session, worker)
        assert counted(session) == {today: 0, today + A_DAY: 0}


def test_what_was_claimed_without_limits_makes_no_room_when_it_goes_back(
    db: Database, account_id: int
) -> None:
    """Also where it had been counted by a claim before, and limits were switched off since."""
    with db.transaction() as session:
        add_messages(session, account_id, 4, stream=COMMERCIAL)
        worker = register_worker(session, "test", 1)
        assert len(Claimer(has_limits=True).claim(session, worker, 3)) == 3
        release(session, worker)
        assert len(take(session, 2)) == 2
        assert len(Claimer(has_limits=False).claim(session, worker, 10)) == 2
        release(session, worker)
        assert counted(session) == {now().date(): 2}


def test_counts_stay_right_while_workers_claim_and_give_back_at_once(
    db: Database, account_id: int
) -> None:
    """Half of each claim goes back: what is counted is what is held, whoever came between."""
    with db.transaction() as session:
        add_messages(session, account_id, 200, stream=COMMERCIAL)
        workers = [register_worker(session, "test", n) for n in range(4)]
    failures: list[BaseException] = []

    def work(worker: int) -> None:
        claimer = Claimer(has_limits=True)
        try:
            for _ in range(8):
                with db.transaction() as session:
                    ids = [one.id for one in claimer.claim(session, worker, 6)]
                with db.transaction() as session:
                    release(session, worker, ids[::2])
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    with db.reading() as session:
        held = session.exec(select(Message.id).where(col(Message.worker_id).is_not(None))).all()
        assert len(held) > 0
        assert counted(session) == {now().date(): len(held)}


CLAIMERS, SENDERS, EACH_HAS, EACH_MAY = 4, 20, 30, 20


def with_many_senders(session: Session) -> tuple[list[int], list[int]]:
    """Accounts with more of both streams than they may send in a day, and workers."""
    accounts = [add_account(session, f"Other {n}", f"jo@company{n}.com") for n in range(SENDERS)]
    for one in accounts:
        set_limit(session, one, EACH_MAY)
        for stream in Stream:
            add_messages(session, one, EACH_HAS, stream=stream)
    return accounts, [register_worker(session, "test", n) for n in range(CLAIMERS)]


def at_once(work: Callable[[int], None], workers: list[int]) -> None:
    """Each in a thread, with connections of its own; what one raises is raised here."""
    with ThreadPoolExecutor(len(workers)) as pool:
        for done in [pool.submit(work, worker) for worker in workers]:
            done.result(120)


def test_many_accounts_at_their_limits_are_claimed_from_by_several_workers_at_once(
    db: Database,
) -> None:
    """None waits for another in a circle, nothing is taken twice, and each sends what it may."""
    with db.transaction() as session:
        accounts, workers = with_many_senders(session)
    taken: dict[int, list[Claimed]] = {worker: [] for worker in workers}
    begin = threading.Barrier(CLAIMERS)

    def work(worker: int) -> None:
        claimer = Claimer(has_limits=True)
        empty = 0
        begin.wait(60)
        while empty < 3:
            if empty:
                claimer._look_at = 0.0
            with db.transaction() as session:
                got = claimer.claim(session, worker, 37)
            taken[worker] += got
            empty = 0 if got else empty + 1

    at_once(work, workers)
    all_taken = [one for some in taken.values() for one in some]
    assert Counter((one.account_id, one.stream) for one in all_taken) == {
        (account_id, stream): EACH_MAY for account_id in accounts for stream in Stream
    }
    with db.reading() as session:
        assert counts_of_today(session) == {
            (account_id, stream): EACH_MAY for account_id in accounts for stream in Stream
        }
        assert holders(session) == {one.id: worker for worker in workers for one in taken[worker]}
    assert len({one.id for one in all_taken}) == len(all_taken)


def test_giving_back_beside_claims_of_many_accounts_waits_for_none_in_a_circle(
    db: Database,
) -> None:
    """Each gives a third back at once and puts a third off: nothing is held by two at a time."""
    with db.transaction() as session:
        _, workers = with_many_senders(session)
    held: dict[int, int] = {}
    twice: list[int] = []
    mutex, begin = threading.Lock(), threading.Barrier(CLAIMERS)

    def work(worker: int) -> None:
        claimer = Claimer(has_limits=True)
        begin.wait(60)
        for _ in range(25):
            with db.transaction() as session:
                got = [one.id for one in claimer.claim(session, worker, 30)]
            back, later = got[::3], got[1::3]
            with mutex:
                twice.extend(one for one in got if one in held)
                held.update(dict.fromkeys(got, worker))
                for one in (*back, *later):  # before anybody else can have it
                    del held[one]
            with db.transaction() as session:
                release(session, worker, back)
            with db.transaction() as session:
                postpone(session, worker, dict.fromkeys(later, now()))

    at_once(work, workers)
    assert twice == []
    assert len(held) > SENDERS
    with db.reading() as session:
        assert holders(session) == held
        counts = counts_of_today(session)
        assert max(counts.values()) <= EACH_MAY
        rows = session.exec(
            select(Message.account_id, Message.stream).where(col(Message.worker_id).is_not(None))
        )
        assert {key: n for key, n in counts.items() if n} == Counter(rows.all())


def counts_of_today(session: Session) -> dict[tuple[int, Stream], int]:
    found = session.exec(
        select(SendingDay.account_id, SendingDay.stream, SendingDay.count).where(
            SendingDay.day == now().date()
        )
    )
    return {(account_id, stream): count for account_id, stream, count in found}


def holders(session: Session) -> dict[int, int | None]:
    """Who holds which message, by the database."""
    is_held = col(Message.worker_id).is_not(None)
    return dict(session.exec(select(Message.id, Message.worker_id).where(is_held)).all())


def test_a_second_try_is_not_counted_again(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        add_messages(session, account_id, 4, stream=COMMERCIAL)
        session.connection().execute(
            update(Message).where(col(Message.account_id) == account_id).values(tries=1)
        )
        assert len(take(session, 10)) == 4
        assert counted(session) == {now().date(): 0}


def test_where_the_limit_is_reached_what_was_tried_before_still_leaves(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        set_limit(session, account_id, 2)
        ids = add_messages(session, account_id, 6, stream=COMMERCIAL)
        tried_before(session, ids[4:])
        assert take(session, 2) == ids[:2]
        # A claimer that has just looked, and another that knows of the limit by its own look.
        assert take(session, 1) == [ids[4]]
        assert take(session, 10) == [ids[5]]
        assert take(session, 10) == []
        assert counted(session) == {now().date(): 2}


def test_a_day_that_becomes_full_in_the_middle_of_a_claim_ends_only_first_tries(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        set_limit(session, account_id, 2)
        ids = add_messages(session, account_id, 5, stream=COMMERCIAL)
        tried_before(session, ids[4:])
        assert take(session, 10) == [*ids[:2], ids[4]]
        assert counted(session) == {now().date(): 2}


def test_what_comes_back_from_a_dead_worker_leaves_at_the_limit_too(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        set_limit(session, account_id, 1)
        ids = add_messages(session, account_id, 2, stream=COMMERCIAL)
        tried_before(session, ids[1:], tries=0, deaths=1)
        assert take(session, 10) == ids
        assert counted(session) == {now().date(): 1}


def test_what_is_to_be_tried_again_later_waits_for_its_time_at_the_limit(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        reach_limit(session, account_id)
        add_messages(session, account_id, 2, stream=COMMERCIAL)
        later = add_messages(
            session, account_id, 1, stream=COMMERCIAL, due_at=now() + timedelta(minutes=1)
        )
        tried_before(session, later)
        assert take(session, 10) == []


def test_what_was_tried_before_leaves_in_every_lane_that_is_full(
    db: Database, account_id: int
) -> None:
    with db.transaction() as session:
        others = [add_account(session, f"Other {n}", f"jo@company{n}.com") for n in range(3)]
        again = []
        for one in (account_id, *others):
            reach_limit(session, one)
            ids = add_messages(session, one, 3, stream=COMMERCIAL)
            tried_before(session, ids[2:])
            again += ids[2:]
        hold_lane(session, account_id, lane_id_for(session, account_id, COMMERCIAL))
        assert sorted(take(session, 20)) == again[1:]


def test_a_limit_of_0_stops_second_tries_too(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        ids = add_messages(session, account_id, 2, stream=COMMERCIAL)
        tried_before(session, ids[1:])
        set_limit(session, account_id, 0)
        assert take(session, 10) == []
        set_limit(session, account_id, None)
        assert take(session, 10) == ids


def test_without_limits_nothing_is_counted(db: Database, account_id: int) -> None:
    with db.transaction() as session:
        set_limit(session, account_id, 0)
        add_messages(session, account_id, 4, stream=COMMERCIAL)
        assert len(take(session, 10, claimer=Claimer(has_limits=False))) == 4
        assert counted(session) == {}


def test_claims_whose_turns_come_in_another_order_do_not_wait_for_each_other_in_a_circle(
    db: Database, account_id: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each would hold the count of one account, and want that of the other next."""
    if db.is_sqlite:
        return  # there is one writer at a time
    with db.transaction() as session:
        other = add_account(session, "Other", "jo@yourcompany.com")
        for one in (account_id, other):
            add_messages(session, one, 100, stream=COMMERCIAL)
        workers = [register_worker(session, "test", n) for n in range(2)]
        claimers = [Claimer(has_limits=True) for _ in workers]
        # They have looked, and the second had its last turn with the first account.
        assert [len(take(session, 8, claimer=one)) for one in claimers] == [8, 8]
        claimers[1]._turns[COMMERCIAL]._accounts.rotate(1)
    take_rows, both_hold_one = claims._take, threading.Barrier(2, timeout=1)

    def take_slowly(*args: Any, **kwargs: Any) -> Any:
        taken = take_rows(*args, **kwargs)
        with suppress(threading.BrokenBarrierError):  # the other waits for its turn
            both_hold_one.wait()
        return taken

    monkeypatch.setattr(claims, "_take", take_slowly)
    failures: list[BaseException] = []
    counts: list[int] = []

    def work(worker: int, claimer: Claimer) -> None:
        try:
            with db.transaction() as session:
                counts.append(len(claimer.claim(session, worker, 20)))
        except BaseException as error:
            failures.append(error)

    threads = [
        threading.Thread(target=work, args=one) for one in zip(workers, claimers, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []
    assert counts == [20, 20]


def test_what_goes_back_early_and_what_is_over_give_their_counts_back_in_one_order(
    db: Database, account_id: int
) -> None:
    """A claim that has the count of the one account can have that of the other, too."""
    if db.is_sqlite:
        return  # there is one writer at a time
    with db.transaction() as session:
        first, second = sorted([account_id, add_account(session, "Other", "jo@yourcompany.com")])
        for one in (first, second):
            add_messages(session, one, 1, stream=COMMERCIAL)
        worker = register_worker(session, "test", 1)
        held = {
            one.account_id: one.id for one in Claimer(has_limits=True).claim(session, worker, 10)
        }
        is_over = col(Message.id) == held[first]
        session.connection().execute(update(Message).where(is_over).values(expires_at=now()))
    with ThreadPoolExecutor(1) as pool, db.transaction() as session:
        _lock_count(session, first)
        going_back = pool.submit(
            _in_a_transaction, db, postpone, worker, dict.fromkeys(held.values(), now())
        )
        _await_one_that_waits(session)
        _lock_count(session, second)
        session.commit()
        going_back.result(60)
    with db.reading() as session:
        assert counted_of(session) == {first: 0, second: 0}
        assert session.get_one(Message, held[first]).state == MessageState.FAILED
        assert session.get_one(Message, held[second]).state == MessageState.QUEUED


def _in_a_transaction(db: Database, work: Callable[..., None], *args: Any) -> None:
    with db.transaction() as session:
        work(session, *args)


def _lock_count(session: Session, account_id: int) -> None:
    mine = select(SendingDay.count).where(col(SendingDay.account_id) == account_id)
    assert session.exec(mine.with_for_update(nowait=True)).all()


def _await_one_that_waits(session: Session) -> None:
    for _ in range(600):
        if session.connection().execute(text("SELECT 1 FROM pg_locks WHERE NOT granted")).all():
            return
        sleep(0.05)
    raise AssertionError("nobody waited for a lock")


def test_a_claim_counts_for_all_its_accounts_in_one_order(db: Database, account_id: int) -> None:
    """What is transactional first, then by account; what comes up late and stands before, waits."""
    with db.transaction() as session:
        accounts = [
            account_id,
            *(add_account(session, f"Other {n}", f"jo@company{n}.com") for n in range(3)),
        ]
        first, second, third, last = sorted(accounts)
        for one in accounts:
            add_messages(session, one, 1, stream=COMMERCIAL)
        claimer, worker = Claimer(has_limits=True), register_worker(session, "test", 1)
        claimer._turns[COMMERCIAL]._last_account = second
        taken = [one.account_id for one in claimer.claim(session, worker, 16)]
        assert sorted(taken) == [third, last]
        assert [one.account_id for one in claimer.claim(session, worker, 16)] == [first, second]
        assert counted_of(session) == dict.fromkeys(accounts, 1)


def counted_of(session: Session) -> dict[int, int]:
    return dict(session.exec(select(SendingDay.account_id, SendingDay.count)).all())
