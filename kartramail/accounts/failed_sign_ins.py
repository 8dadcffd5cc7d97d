"""Wrong passwords are counted for each address, known or not, and make the next try wait (R-SAFE).

A try is counted before the password is looked at, so that many at once gain nothing.
"""

from datetime import timedelta

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from kartramail.accounts.models import FailedSignIn
from kartramail.clock import now

FREE_TRIES = 5
FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


def claim_try(session: Session, email_key: str) -> timedelta | None:
    """Count one more try; returns None when it may be made, else how long to wait first."""
    row = _lock_row(session, email_key)
    at = now()  # only now: while it waited for the row, another may have tried
    if at - row.last_at > FORGOTTEN_AFTER:
        row.count = 0
    wait = row.last_at + _wait_after(row.count) - at
    if wait > timedelta(0):
        return wait
    row.count += 1
    row.last_at = at
    session.add(row)
    return None


def forget_tries(session: Session, email_key: str) -> None:
    """Start anew, after the right password or a new one."""
    session.connection().execute(
        delete(FailedSignIn).where(col(FailedSignIn.email_key) == email_key)
    )


def _wait_after(count: int) -> timedelta:
    if count < FREE_TRIES:
        return timedelta(0)
    doublings = min(count - FREE_TRIES, 10)
    return min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)


def _lock_row(session: Session, email_key: str) -> FailedSignIn:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    session.connection().execute(
        dialect.insert(FailedSignIn)
        .values(email_key=email_key, count=0, last_at=now())
        .on_conflict_do_nothing()
    )
    return session.exec(
        select(FailedSignIn).where(FailedSignIn.email_key == email_key).with_for_update()
    ).one()
