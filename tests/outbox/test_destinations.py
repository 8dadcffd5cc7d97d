"""What the processes of an installation tell each other of recipient domains (R-FAIR)."""

import threading
from datetime import timedelta

import pytest
from sqlmodel import select

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox.destinations import Closed, Destination, load_closed, note_destinations
from tests.support.statements import heard


def soon(seconds: float) -> Closed:
    return Closed(now() + timedelta(seconds=seconds), 0, "asked us to slow down")


def test_another_process_reads_what_one_wrote(db: Database) -> None:
    wrote = {"a.net": soon(30), "ä.net": Closed(now() + timedelta(minutes=2), 2, "slow")}
    with db.transaction() as session:
        note_destinations(session, wrote)
    with db.reading() as session:
        assert load_closed(session, now()) == wrote
        assert set(load_closed(session, now() + timedelta(minutes=1))) == {"ä.net"}


def test_the_longer_pause_of_two_holds(db: Database) -> None:
    first, shorter, longer = soon(60), soon(30), soon(90)
    for closed, expected in ((first, first), (shorter, first), (longer, longer)):
        with db.transaction() as session:
            note_destinations(session, {"a.net": closed})
        with db.reading() as session:
            assert load_closed(session, now()) == {"a.net": expected}


def test_what_is_over_goes(db: Database) -> None:
    with db.transaction() as session:
        session.add(
            Destination(
                domain="old.net",
                closed_until=now() - timedelta(seconds=1),
                concurrency=0,
                words="",
                changed_at=now(),
            )
        )
    with db.transaction() as session:
        note_destinations(session, {"over.net": soon(-1), "a.net": soon(30)})
    with db.reading() as session:
        assert list(session.exec(select(Destination.domain))) == ["a.net"]


def test_a_thousand_domains_take_few_statements(db: Database) -> None:
    with heard(db) as statements, db.transaction() as session:
        note_destinations(session, {f"domain{n}.net": soon(30) for n in range(1_000)})
    assert len([one for one, _ in statements if "destination" in one]) == 3
    with db.reading() as session:
        assert len(load_closed(session, now())) == 1_000


def test_two_processes_at_once_do_not_stop_each_other(db: Database) -> None:
    failures: list[BaseException] = []

    def write(order: int) -> None:
        try:
            for n in range(20):
                names = [f"domain{i}.net" for i in range(50)][::order]
                with db.transaction() as session:
                    note_destinations(session, {name: soon(30 + n) for name in names})
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(order,)) for order in (1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failures == []


@pytest.mark.parametrize("domain", ["x" * 255, "mail.ünïcode.example"])
def test_any_domain_fits(db: Database, domain: str) -> None:
    with db.transaction() as session:
        note_destinations(session, {domain: soon(30)})
    with db.reading() as session:
        assert set(load_closed(session, now())) == {domain}
