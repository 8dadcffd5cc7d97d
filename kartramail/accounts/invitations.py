"""Invitations into a team: a mail with a link that works once, for seven days."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session, col, delete, func, select

from kartramail.accounts.history import record_change
from kartramail.accounts.links import find_link, make_link, use_link, withdraw_links
from kartramail.accounts.models import (
    Account,
    Invitation,
    Membership,
    OneTimeToken,
    Role,
    TokenPurpose,
    User,
)
from kartramail.accounts.people import Person
from kartramail.accounts.service import claim_address, find_user, home_account
from kartramail.accounts.team import add_member, lock_account
from kartramail.clock import now
from kartramail.errors import NotFound
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.rules.addresses import Address

LIFETIME = timedelta(days=7)
MOST_OPEN = 50


class Invited(StrEnum):
    """What became of the wish to invite somebody."""

    SENT = "sent"
    IN_TEAM = "in_team"
    OPEN_ALREADY = "open_already"
    TOO_MANY = "too_many"


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that its link leads to. `user` is the person of that address, if known."""

    link: OneTimeToken
    invitation: Invitation
    business_name: str
    inviter: str
    user: User | None


def invite(session: Session, base_url: str, by: Person, address: Address, role: Role) -> Invited:
    """Invite the person of that address into the account of `by`, and mail them the link."""
    lock_account(session, by.account_id)
    if _is_in_team(session, by.account_id, address.key):
        return Invited.IN_TEAM
    open_ones = list_invitations(session, by.account_id)
    if address.key in [each.email_key for each in open_ones]:
        return Invited.OPEN_ALREADY
    if len(open_ones) >= MOST_OPEN:
        return Invited.TOO_MANY
    invitation = Invitation(
        account_id=by.account_id,
        email=address.text,
        email_key=address.key,
        role=role,
        invited_by=by.user_id,
    )
    session.add(invitation)
    record_change(
        session,
        by.account_id,
        "member.invited",
        user_id=by.user_id,
        after={"email": invitation.email, "role": role},
    )
    _send(session, base_url, by, invitation)
    return Invited.SENT


def list_invitations(session: Session, account_id: int) -> list[Invitation]:
    """Who was invited into this account and has not come yet, oldest first."""
    statement = (
        select(Invitation).where(Invitation.account_id == account_id).order_by(col(Invitation.id))
    )
    return list(session.exec(statement))


def send_invitation_again(
    session: Session, base_url: str, by: Person, invitation_id: int
) -> Invitation:
    """Mail a new link, and void the one before. Raises NotFound."""
    invitation = _find(session, by.account_id, invitation_id)
    withdraw_links(
        session, TokenPurpose.JOIN_TEAM, account_id=by.account_id, address=invitation.email
    )
    invitation.sent_at = now()
    session.add(invitation)
    _send(session, base_url, by, invitation)
    return invitation


def withdraw_invitation(session: Session, by: Person, invitation_id: int) -> Invitation:
    """Take an invitation back; its link is void at once. Raises NotFound."""
    invitation = _find(session, by.account_id, invitation_id)
    _close(session, invitation)
    record_change(
        session,
        by.account_id,
        "invitation.withdrawn",
        user_id=by.user_id,
        before={"email": invitation.email},
    )
    return invitation


def find_invitation(session: Session, raw: str) -> OpenInvitation | None:
    """What a link invites to, while it can be used; looking changes nothing."""
    link = find_link(session, raw, TokenPurpose.JOIN_TEAM)
    if link is None:
        return None
    row = session.exec(
        select(Invitation, Account.business_name, User.full_name)
        .join(Account, col(Account.id) == col(Invitation.account_id))
        .join(User, col(User.id) == col(Invitation.invited_by))
        .where(
            Invitation.account_id == link.account_id,
            Invitation.email == link.address,
            col(Account.deleted_at).is_(None),
        )
    ).first()
    if row is None:
        return None
    invitation, business_name, inviter = row
    user = find_user(session, invitation.email_key)
    return OpenInvitation(link, invitation, business_name, inviter, user)


def accept_invitation(session: Session, raw: str, user: User) -> int | None:
    """Put `user`, whose address was invited, into the team; returns the account.

    None where the link is used, withdrawn, old, or for somebody else.
    """
    found = _find_locked(session, raw)
    if found is None or found.invitation.email_key != user.email_key:
        return None
    return _take_place(session, found, user) if use_link(session, found.link) else None


def join_as_new_person(
    session: Session, raw: str, address: Address, full_name: str, password_hash: str
) -> tuple[User, int] | None:
    """Make the invited person and put them into the team; None where the link is of no use.

    A sign-up that was never confirmed is dropped: perhaps it was not the owner of the address who
    signed up, and now the owner came another way. Somebody known signs in instead (None as well).
    """
    found = _find_locked(session, raw)
    if found is None or found.invitation.email_key != address.key:
        return None
    user, _ = claim_address(session, address, full_name, password_hash)
    if user.confirmed_at is not None or not use_link(session, found.link):
        return None
    _give_up_sign_up(session, user)
    user.full_name, user.password_hash, user.confirmed_at = full_name, password_hash, now()
    session.add(user)
    return user, _take_place(session, found, user)


def _take_place(session: Session, found: OpenInvitation, user: User) -> int:
    invitation = found.invitation
    add_member(session, invitation.account_id, user.id, invitation.role)
    _close(session, invitation)
    record_change(
        session,
        invitation.account_id,
        "member.joined",
        user_id=user.id,
        after={"email": user.email, "role": invitation.role},
    )
    return invitation.account_id


def _give_up_sign_up(session: Session, user: User) -> None:
    account = home_account(session, user.id)
    if account is not None and account.confirmed_at is None:
        account.deleted_at = now()
        session.add(account)
        session.flush()
    withdraw_links(session, TokenPurpose.CONFIRM_SIGNUP, user_id=user.id)
    withdraw_links(session, TokenPurpose.RESET_PASSWORD, user_id=user.id)


def _send(session: Session, base_url: str, by: Person, invitation: Invitation) -> None:
    raw = make_link(
        session,
        TokenPurpose.JOIN_TEAM,
        invitation.email,
        LIFETIME,
        account_id=invitation.account_id,
    )
    variables = {
        "business_name": by.business_name,
        "inviter": by.full_name,
        "role": str(invitation.role),
        "link": f"{base_url}/join/{raw}",
    }
    enqueue_platform_mail(
        session, "join_team", invitation.email, variables, account_id=invitation.account_id
    )


def _find_locked(session: Session, raw: str) -> OpenInvitation | None:
    """The invitation, while nobody else can accept or withdraw it."""
    found = find_invitation(session, raw)
    if found is None:
        return None
    lock_account(session, found.invitation.account_id)
    return find_invitation(session, raw)


def _find(session: Session, account_id: int, invitation_id: int) -> Invitation:
    lock_account(session, account_id)
    invitation = session.exec(
        select(Invitation).where(
            Invitation.id == invitation_id, Invitation.account_id == account_id
        )
    ).first()
    if invitation is None:
        raise NotFound("There is no such invitation.")
    return invitation


def _close(session: Session, invitation: Invitation) -> None:
    withdraw_links(
        session,
        TokenPurpose.JOIN_TEAM,
        account_id=invitation.account_id,
        address=invitation.email,
    )
    session.connection().execute(delete(Invitation).where(col(Invitation.id) == invitation.id))


def _is_in_team(session: Session, account_id: int, email_key: str) -> bool:
    found = session.exec(
        select(func.count())
        .select_from(Membership)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(Membership.account_id == account_id, User.email_key == email_key)
    ).one()
    return found > 0
