"""Joining a team by an invitation's link, as somebody known or somebody new."""

from sqlmodel import Session

from kartramail.accounts.history import record_change
from kartramail.accounts.invitations import OpenInvitation, find_invitation
from kartramail.accounts.links import use_link, withdraw_links
from kartramail.accounts.models import TokenPurpose, User
from kartramail.accounts.open_invitations import close_invitation
from kartramail.accounts.service import claim_address, home_account
from kartramail.accounts.team import add_member, lock_account
from kartramail.clock import now
from kartramail.rules.addresses import Address


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
    close_invitation(session, invitation)
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


def _find_locked(session: Session, raw: str) -> OpenInvitation | None:
    """The invitation, while nobody else can accept or withdraw it."""
    found = find_invitation(session, raw)
    if found is None:
        return None
    lock_account(session, found.invitation.account_id)
    return find_invitation(session, raw)
