"""What is forgotten in time, and what is not."""

from datetime import timedelta

from sqlmodel import func, select, update

from kartramail.accounts.models import FailedSignIn, OneTimeToken, SignIn
from kartramail.accounts.rounds import forget_old_entries
from kartramail.clock import now
from kartramail.db import Database
from kartramail.installation import Installation
from tests.support.cast import Actor, post


def counts(db: Database) -> list[int]:
    with db.reading() as session:
        return [
            session.exec(select(func.count()).select_from(table)).one()
            for table in (FailedSignIn, OneTimeToken, SignIn)
        ]


def test_only_what_is_long_over_goes(
    alice: Actor, bob: Actor, installation: Installation, db: Database
) -> None:
    post(bob.client, "/login", {"email": "nobody@doeinc.com", "password": "wrong"})
    alice.post("/settings/team", {"email": "dora@doeinc.com", "role": "member"})
    alice.post("/logout")
    forget_old_entries(installation)
    assert counts(db) == [1, 1, 2]
    long_ago = now() - timedelta(days=100)
    with db.transaction() as session:
        for change in (
            update(FailedSignIn).values(last_at=long_ago),
            update(OneTimeToken).values(expires_at=long_ago),
            update(SignIn).where(SignIn.user_id == alice.user_id).values(ended_at=long_ago),
        ):
            session.connection().execute(change)
    forget_old_entries(installation)
    assert counts(db) == [0, 0, 1]
