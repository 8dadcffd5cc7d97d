"""Wrong passwords make the next try wait, for known and unknown addresses alike (R-SAFE)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from flask.testing import FlaskClient
from sqlmodel import func, select, update

from kartramail.accounts.authentication import Mistaken, TryLater, authenticate, wait_in_words
from kartramail.accounts.failed_sign_ins import (
    FORGOTTEN_AFTER,
    FREE_TRIES,
    LONGEST_WAIT,
    claim_try,
)
from kartramail.accounts.models import FailedSignIn
from kartramail.clock import now
from kartramail.db import Database
from kartramail.installation import Installation
from tests.support.cast import PASSWORD, Actor, make_account, post

ALICE = "alice@doeinc.com"


def claim(db: Database) -> timedelta | None:
    with db.transaction() as session:
        return claim_try(session, ALICE)


def set_back(db: Database, by: timedelta) -> None:
    with db.transaction() as session:
        session.connection().execute(update(FailedSignIn).values(last_at=now() - by))


def test_the_first_tries_are_free_and_then_one_waits(db: Database) -> None:
    assert [claim(db) for _ in range(FREE_TRIES)] == [None] * FREE_TRIES
    wait = claim(db)
    assert wait is not None
    assert timedelta(seconds=25) < wait <= timedelta(seconds=30)


def test_the_wait_grows_up_to_a_limit(db: Database) -> None:
    for _ in range(FREE_TRIES):
        claim(db)
    waits = []
    for _ in range(8):
        set_back(db, LONGEST_WAIT)
        assert claim(db) is None
        wait = claim(db)
        assert wait is not None
        waits.append(round(wait.total_seconds() / 30))
    assert waits == [2, 4, 8, 16, 30, 30, 30, 30]


def test_a_day_later_all_is_forgotten(db: Database) -> None:
    for _ in range(FREE_TRIES + 3):
        claim(db)
    set_back(db, FORGOTTEN_AFTER + timedelta(minutes=1))
    assert [claim(db) for _ in range(FREE_TRIES)] == [None] * FREE_TRIES


def test_the_right_password_starts_anew(alice: Actor, client: FlaskClient, db: Database) -> None:
    for _ in range(FREE_TRIES - 1):
        post(client, "/login", {"email": ALICE, "password": "wrong"})
    assert post(client, "/login", {"email": ALICE, "password": PASSWORD}).status_code == 303
    with db.reading() as session:
        assert session.exec(select(func.count()).select_from(FailedSignIn)).one() == 0


def test_while_it_waits_the_right_password_is_not_looked_at(
    alice: Actor, client: FlaskClient
) -> None:
    for _ in range(FREE_TRIES):
        post(client, "/login", {"email": ALICE, "password": "wrong"})
    answer = post(client, "/login", {"email": ALICE, "password": PASSWORD})
    assert answer.status_code == 422
    assert "There were too many wrong passwords for this address. Wait " in answer.text
    assert 'href="/forgot"' in answer.text


def test_many_at_once_gain_nothing(installation: Installation) -> None:
    make_account(installation)
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: authenticate(installation.db, ALICE, "wrong"), range(20)))
    assert sum(isinstance(answer, Mistaken) for answer in answers) == FREE_TRIES
    assert sum(isinstance(answer, TryLater) for answer in answers) == 20 - FREE_TRIES


def test_one_address_does_not_lock_another(alice: Actor, client: FlaskClient) -> None:
    for _ in range(FREE_TRIES + 2):
        post(client, "/login", {"email": "nobody@doeinc.com", "password": "wrong"})
    assert post(client, "/login", {"email": ALICE, "password": PASSWORD}).status_code == 303


def test_waits_are_said_as_people_say_them() -> None:
    assert wait_in_words(timedelta(seconds=0.2)) == "1 second"
    assert wait_in_words(timedelta(seconds=29.2)) == "30 seconds"
    assert wait_in_words(timedelta(minutes=2, seconds=1)) == "3 minutes"
