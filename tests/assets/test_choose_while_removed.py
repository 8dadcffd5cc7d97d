"""A sender is chosen while somebody removes it: one waits for the other (R-SENDERS, R-ASSET).

On PostgreSQL only: on SQLite a transaction that writes has the database to itself.
"""

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text
from sqlmodel import Session

from kartramail.assets.kinds import TYPES
from kartramail.assets.settings import change_setting, load_setting
from kartramail.db import Database
from kartramail.errors import InvalidInput
from kartramail.senders.removal import InUse, Removed, remove_sender
from tests.senders.further import add
from tests.support.cast import Actor
from tests.support.events import add_asset

BOOKED = TYPES["calendar.booked"]

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def _while_waiting(
    db: Database, first: Callable[[Session], object], second: Callable[[Session], object]
) -> list[object]:
    """Do the first, and commit it once the second waits for it; what each said."""
    said: list[object] = []

    def follow() -> None:
        try:
            with db.transaction() as session:
                said.append(second(session))
        except InvalidInput as error:
            said.append(error)

    follower = threading.Thread(target=follow)
    with db.transaction() as session:
        answer = first(session)
        follower.start()
        while follower.is_alive() and not _is_somebody_waiting(db):
            time.sleep(0.01)
        assert not said, "it did not wait"
    follower.join()
    return [answer, *said]


def _is_somebody_waiting(db: Database) -> bool:
    query = text(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE wait_event_type = 'Lock' AND datname = current_database()"
    )
    with db.reading() as session:
        return bool(session.connection().execute(query).scalar_one())


def test_a_removal_waits_for_a_choice_and_moves_it(alice: Actor, db: Database) -> None:
    calendar, sender = add_asset(db, alice.account_id), add(db, alice.account_id)
    other = add(db, alice.account_id, "desk@doeinc.com", "Desk")

    def choose(session: Session) -> object:
        changes = {"sender_id": sender}
        return change_setting(session, alice.account_id, calendar, BOOKED, changes, user_id=None)

    def remove(session: Session) -> object:
        return remove_sender(session, alice.account_id, sender, other, user_id=None)

    _, removed = _while_waiting(db, choose, remove)
    assert isinstance(removed, Removed)
    with db.reading() as session:
        assert load_setting(session, alice.account_id, calendar, BOOKED).sender_id == other


def test_a_removal_that_waited_for_a_choice_sees_it(alice: Actor, db: Database) -> None:
    calendar, sender = add_asset(db, alice.account_id), add(db, alice.account_id)

    def choose(session: Session) -> object:
        changes = {"sender_id": sender}
        return change_setting(session, alice.account_id, calendar, BOOKED, changes, user_id=None)

    def remove(session: Session) -> object:
        return remove_sender(session, alice.account_id, sender, user_id=None)

    _, kept = _while_waiting(db, choose, remove)
    assert isinstance(kept, InUse)


def test_a_choice_that_waited_for_a_removal_is_refused(alice: Actor, db: Database) -> None:
    calendar, sender = add_asset(db, alice.account_id), add(db, alice.account_id)

    def remove(session: Session) -> object:
        return remove_sender(session, alice.account_id, sender, user_id=None)

    def choose(session: Session) -> object:
        changes = {"sender_id": sender}
        return change_setting(session, alice.account_id, calendar, BOOKED, changes, user_id=None)

    _, refused = _while_waiting(db, remove, choose)
    assert isinstance(refused, InvalidInput)
    assert refused.code == "not_found"
    with db.reading() as session:
        assert load_setting(session, alice.account_id, calendar, BOOKED).sender_id is None
