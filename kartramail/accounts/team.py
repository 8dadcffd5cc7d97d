"""The team of an account: who is in it, in which role. There is always an owner (R-SAFE)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlmodel import Session, col, delete, func, select

from kartramail.accounts.history import record_change
from kartramail.accounts.models import Account, Membership, Role, User
from kartramail.accounts.open_invitations import withdraw_invitations_of
from kartramail.accounts.sign_ins import end_sign_ins_in_account
from kartramail.errors import NotFound


class TeamChange(StrEnum):
    """Whether a change of the team was made."""

    DONE = "done"
    LAST_OWNER = "last_owner"


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the team."""

    user_id: int
    full_name: str
    email: str
    role: Role
    joined_at: datetime

    @property
    def is_owner(self) -> bool:
        """Whether they may change the team and the account."""
        return self.role is Role.OWNER


# SQLModel knows the types of four columns, and not of more.
_COLUMNS: list[Any] = [
    *(col(User.id), col(User.full_name), col(User.email)),
    *(col(Membership.role), col(Membership.created_at)),
]


def list_team(session: Session, account_id: int) -> list[Member]:
    """Everybody in the account, owners first."""
    statement = (
        select(*_COLUMNS)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(Membership.account_id == account_id)
        .order_by(col(Membership.role).desc(), col(Membership.created_at), col(User.id))
    )
    return [Member(*row) for row in session.exec(statement)]


def owners_of(session: Session, account_id: int) -> list[str]:
    """The addresses of the account's confirmed owners: who is told when something happens."""
    statement = (
        select(User.email)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(
            Membership.account_id == account_id,
            Membership.role == Role.OWNER,
            col(User.confirmed_at).is_not(None),
        )
        .order_by(col(User.id))
    )
    return list(session.exec(statement))


def confirmed_members_of(session: Session, account_id: int) -> list[str]:
    """The addresses of everybody in the account who confirmed theirs."""
    statement = (
        select(User.email)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(Membership.account_id == account_id, col(User.confirmed_at).is_not(None))
        .order_by(col(User.id))
    )
    return list(session.exec(statement))


def add_member(session: Session, account_id: int, user_id: int, role: Role) -> None:
    """Put a person into the team; who is in it already stays as they are."""
    lock_account(session, account_id)
    if session.get(Membership, (account_id, user_id)) is None:
        session.add(Membership(account_id=account_id, user_id=user_id, role=role))
        session.flush()


def change_role(
    session: Session, account_id: int, user_id: int, role: Role, *, by: int
) -> TeamChange:
    """Give a member another role. Raises NotFound for a person of another account.

    Who is no owner any more makes none: their invitations to become one are withdrawn.
    """
    lock_account(session, account_id)
    membership, user = _find_member(session, account_id, user_id)
    if membership.role is role:
        return TeamChange.DONE
    if _is_last_owner(session, membership):
        return TeamChange.LAST_OWNER
    record_change(
        session,
        account_id,
        "member.role_changed",
        user_id=by,
        before={"email": user.email, "role": membership.role},
        after={"email": user.email, "role": role},
    )
    membership.role = role
    session.add(membership)
    if role is not Role.OWNER:
        withdraw_invitations_of(session, account_id, user_id, (Role.OWNER,), by=by)
    return TeamChange.DONE


def remove_member(session: Session, account_id: int, user_id: int, *, by: int) -> TeamChange:
    """Take a person out of the team, with the invitations that they left open.

    They are signed out of the account. Raises NotFound as `change_role`.
    """
    lock_account(session, account_id)
    membership, user = _find_member(session, account_id, user_id)
    if _is_last_owner(session, membership):
        return TeamChange.LAST_OWNER
    session.connection().execute(
        delete(Membership).where(
            col(Membership.account_id) == account_id, col(Membership.user_id) == user_id
        )
    )
    end_sign_ins_in_account(session, account_id, user_id)
    record_change(session, account_id, "member.removed", user_id=by, before={"email": user.email})
    withdraw_invitations_of(session, account_id, user_id, tuple(Role), by=by)
    return TeamChange.DONE


def lock_account(session: Session, account_id: int) -> None:
    """Let changes of one team follow one another, so that two cannot remove the last two owners.

    SQLite has one writer at a time anyway.
    """
    session.exec(select(Account.id).where(Account.id == account_id).with_for_update()).one()


def _find_member(session: Session, account_id: int, user_id: int) -> tuple[Membership, User]:
    row = session.exec(
        select(Membership, User)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(Membership.account_id == account_id, Membership.user_id == user_id)
    ).first()
    if row is None:
        raise NotFound("There is no such person in this account.")
    return row[0], row[1]


def _is_last_owner(session: Session, membership: Membership) -> bool:
    if membership.role is not Role.OWNER:
        return False
    owners = session.exec(
        select(func.count())
        .select_from(Membership)
        .where(Membership.account_id == membership.account_id, Membership.role == Role.OWNER)
    ).one()
    return owners == 1
