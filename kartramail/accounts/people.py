"""Who is signed in: one row, fetched by one query, for every page."""

from dataclasses import dataclass, replace

from sqlalchemy import bindparam
from sqlmodel import Session, select

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


_SIGNED_IN = (
    select(
        SignIn.id,
        User.id,
        User.email,
        User.full_name,
        User.is_operator,
        Account.id,
        Account.business_name,
        Account.time_zone,
        Membership.role,
    )  # type: ignore[call-overload]
    .join(User, User.id == SignIn.user_id)
    .join(Account, Account.id == SignIn.account_id)
    .join(
        Membership,
        (Membership.account_id == SignIn.account_id) & (Membership.user_id == SignIn.user_id),
    )
    .where(
        SignIn.id == bindparam("sign_in_id"),
        SignIn.ended_at.is_(None),  # type: ignore[union-attr]
        Account.deleted_at.is_(None),  # type: ignore[union-attr]
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
