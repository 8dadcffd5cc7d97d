"""Is this the person they say? One way to ask, for every page that takes a password (R-SAFE).

The answer to an unknown address is the answer to a wrong password, after the same work.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from sqlmodel import Session, col, update

from kartramail.accounts import passwords
from kartramail.accounts.failed_sign_ins import claim_try, forget_tries
from kartramail.accounts.models import User
from kartramail.accounts.people import Person, find_person
from kartramail.accounts.service import find_user, is_possible_key, load_user
from kartramail.accounts.sign_ins import start_sign_in, usual_account
from kartramail.db import Database


@dataclass(frozen=True, slots=True)
class Recognised:
    """The password is right. `user` is as it was when the password was looked at."""

    user: User


@dataclass(frozen=True, slots=True)
class Mistaken:
    """No such person, or not their password."""


@dataclass(frozen=True, slots=True)
class TryLater:
    """Too many wrong passwords; the next one is looked at after `wait`."""

    wait: timedelta


Answer: TypeAlias = Recognised | Mistaken | TryLater


def authenticate(db: Database, email_key: str, password: str) -> Answer:
    """Judge a password. Opens short transactions of its own, and hashes outside of them."""
    wait = None
    if is_possible_key(email_key):
        with db.transaction() as session:
            wait = claim_try(session, email_key)
    if wait is not None:
        return TryLater(wait)
    with db.reading() as session:
        user = find_user(session, email_key)
    known_hash = user.password_hash if user else passwords.NO_PASSWORD
    if not passwords.is_right_password(password, known_hash) or user is None:
        return Mistaken()
    _welcome(db, user, password)
    return Recognised(user)


def _welcome(db: Database, user: User, password: str) -> None:
    """Forget the wrong tries, and keep a stronger hash where the parameters have grown."""
    old = user.password_hash
    if passwords.needs_new_hash(old):
        user.password_hash = passwords.hash_password(password)
    with db.transaction() as session:
        forget_tries(session, user.email_key)
        if user.password_hash != old:
            session.connection().execute(
                update(User)
                .where(col(User.id) == user.id, col(User.password_hash) == old)
                .values(password_hash=user.password_hash)
            )


def wait_in_words(wait: timedelta) -> str:
    """How long to wait, rounded up, as people say it: "20 seconds", "3 minutes"."""
    seconds = max(1, round(wait.total_seconds() + 0.5))
    if seconds < 60:
        return "1 second" if seconds == 1 else f"{seconds} seconds"
    minutes = -(-seconds // 60)
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def admit(session: Session, user: User, account_id: int | None = None) -> Person | None:
    """Start a sign-in of somebody recognised, in that account or their usual one.

    None where their password or place changed since they were recognised.
    """
    as_now = load_user(session, user.id)
    account_id = account_id or usual_account(session, user.id)
    if account_id is None or as_now.confirmed_at is None:
        return None
    if as_now.password_hash != user.password_hash:
        return None
    return find_person(session, start_sign_in(session, user.id, account_id).id)
