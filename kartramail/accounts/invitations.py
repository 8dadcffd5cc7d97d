"""Invitations into a team: a mail with a link that works once, for seven days."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlmodel import Session, col, func, or_, select

from kartramail.accounts.history import record_change
from kartramail.accounts.linkable import shown_to_stranger
from kartramail.accounts.links import find_link, make_link, withdraw_links
from kartramail.accounts.models import (
    Account,
    Invitation,
    Membership,
    OneTimeToken,
    Role,
    TokenPurpose,
    User,
)
from kartramail.accounts.open_invitations import (
    close_invitation,
    list_invitations,
    record_withdrawal,
)
from kartramail.accounts.people import Person
from kartramail.accounts.service import find_user
from kartramail.accounts.team import lock_account
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


def send_invitation_again(
    session: Session, base_url: str, by: Person, invitation_id: int
) -> Invitation:
    """Mail a new link, and void the one before. Raises NotFound.

    From now on it is the invitation of `by`, who stands for it.
    """
    invitation = _find(session, by.account_id, invitation_id)
    withdraw_links(
        session, TokenPurpose.JOIN_TEAM, account_id=by.account_id, address=invitation.email
    )
    invitation.sent_at = now()
    invitation.invited_by = by.user_id
    session.add(invitation)
    _send(session, base_url, by, invitation)
    return invitation


def withdraw_invitation(session: Session, by: Person, invitation_id: int) -> Invitation:
    """Take an invitation back; its link is void at once. Raises NotFound."""
    invitation = _find(session, by.account_id, invitation_id)
    close_invitation(session, invitation)
    record_withdrawal(session, invitation, by=by.user_id)
    return invitation


def find_invitation(session: Session, raw: str) -> OpenInvitation | None:
    """What a link invites to, while it can be used; looking changes nothing.

    It is worth what its inviter may do now: one that was sent while they were being removed or
    made a member is no way in.
    """
    link = find_link(session, raw, TokenPurpose.JOIN_TEAM)
    if link is None:
        return None
    row = session.exec(
        select(Invitation, Account.business_name, User.full_name)
        .join(Account, col(Account.id) == col(Invitation.account_id))
        .join(User, col(User.id) == col(Invitation.invited_by))
        .join(
            Membership,
            (col(Membership.account_id) == col(Invitation.account_id))
            & (col(Membership.user_id) == col(Invitation.invited_by)),
        )
        .where(
            Invitation.account_id == link.account_id,
            Invitation.email == link.address,
            col(Account.deleted_at).is_(None),
            or_(Membership.role == Role.OWNER, Invitation.role == Role.MEMBER),
        )
    ).first()
    if row is None:
        return None
    invitation, business_name, inviter = row
    user = find_user(session, invitation.email_key)
    return OpenInvitation(link, invitation, business_name, inviter, user)


def _send(session: Session, base_url: str, by: Person, invitation: Invitation) -> None:
    raw = make_link(
        session,
        TokenPurpose.JOIN_TEAM,
        invitation.email,
        LIFETIME,
        account_id=invitation.account_id,
    )
    variables = {
        "business_name": shown_to_stranger(by.business_name, "a business"),
        "inviter": shown_to_stranger(by.full_name, "Somebody"),
        "role": str(invitation.role),
        "link": f"{base_url}/join/{raw}",
    }
    enqueue_platform_mail(
        session, "join_team", invitation.email, variables, account_id=invitation.account_id
    )


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


def _is_in_team(session: Session, account_id: int, email_key: str) -> bool:
    found = session.exec(
        select(func.count())
        .select_from(Membership)
        .join(User, col(User.id) == col(Membership.user_id))
        .where(Membership.account_id == account_id, User.email_key == email_key)
    ).one()
    return found > 0
