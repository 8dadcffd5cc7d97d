"""Who is signed in: one row, fetched by one query, for every page."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from kartramail.accounts.models import Account, Membership, Role, SignIn, User
from kartramail.db import Database


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in user in one account. The attributes that flask-login asks for included."""

    sign_in_id: int
    user_id: int
    email: str
    full_name: str
    is_operator: bool
    account_id: int
    business_name: str
    time_zone: str
    role: Role

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """What the session cookie remembers."""
        return str(self.sign_in_id)

    @property
    def is_owner(self) -> bool:
        """Whether this person may change the team and the account."""
        return self.role is Role.OWNER


# SQLModel knows the types of four columns, and not of more.
_COLUMNS: list[Any] = [
    *(col(SignIn.id), col(User.id), col(User.email), col(User.full_name)),
    *(col(User.is_operator), col(Account.id), col(Account.business_name)),
    *(col(Account.time_zone), col(Membership.role)),
]

_SIGNED_IN = (
    select(*_COLUMNS)
    .join(User, col(User.id) == col(SignIn.user_id))
    .join(Account, col(Account.id) == col(SignIn.account_id))
    .join(
        Membership,
        (col(Membership.account_id) == col(SignIn.account_id))
        & (col(Membership.user_id) == col(SignIn.user_id)),
    )
    .where(
        col(SignIn.id) == bindparam("sign_in_id"),
        col(SignIn.ended_at).is_(None),
        col(Account.deleted_at).is_(None),
    )
)


def find_person(session: Session, sign_in_id: int) -> Person | None:
    """The person behind a session cookie, or None once they signed out or left the account."""
    row = session.connection().execute(_SIGNED_IN, {"sign_in_id": sign_in_id}).first()
    return Person(*row) if row else None


def glance_at_person(db: Database, sign_in_id: int) -> Person | None:
    """The same without a session of its own, for every request."""
    row = db.glance(_SIGNED_IN, sign_in_id=sign_in_id)
    if row is None:
        return None
    person = Person(*row)
    return replace(person, is_operator=bool(person.is_operator), role=Role(person.role))
