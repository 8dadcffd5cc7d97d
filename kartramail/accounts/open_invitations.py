"""Invitations that nobody has taken yet: listed, closed, withdrawn with who made them."""

from sqlmodel import Session, col, delete, select

from kartramail.accounts.history import record_change
from kartramail.accounts.links import withdraw_links
from kartramail.accounts.models import Account, Invitation, Role, TokenPurpose
from kartramail.accounts.service import is_possible_key


def list_invitations(session: Session, account_id: int) -> list[Invitation]:
    """Who was invited into this account and has not come yet, oldest first."""
    statement = (
        select(Invitation).where(Invitation.account_id == account_id).order_by(col(Invitation.id))
    )
    return list(session.exec(statement))


def inviting_account(session: Session, email_key: str) -> int | None:
    """An account that has invited this address, the newest invitation first."""
    if not is_possible_key(email_key):
        return None
    return session.exec(
        select(Invitation.account_id)
        .join(Account, col(Account.id) == col(Invitation.account_id))
        .where(Invitation.email_key == email_key, col(Account.deleted_at).is_(None))
        .order_by(col(Invitation.id).desc())
    ).first()


def close_invitation(session: Session, invitation: Invitation) -> None:
    """Remove it and void its links, after it was accepted or withdrawn."""
    withdraw_links(
        session,
        TokenPurpose.JOIN_TEAM,
        account_id=invitation.account_id,
        address=invitation.email,
    )
    session.connection().execute(delete(Invitation).where(col(Invitation.id) == invitation.id))


def withdraw_invitations_of(
    session: Session, account_id: int, inviter_id: int, roles: tuple[Role, ...], *, by: int
) -> None:
    """Take back what a person who may not invite to that any more has left open."""
    for invitation in list_invitations(session, account_id):
        if invitation.invited_by == inviter_id and invitation.role in roles:
            close_invitation(session, invitation)
            record_withdrawal(session, invitation, by=by)


def record_withdrawal(session: Session, invitation: Invitation, *, by: int) -> None:
    """Write it into the history of the account."""
    record_change(
        session,
        invitation.account_id,
        "invitation.withdrawn",
        user_id=by,
        before={"email": invitation.email},
    )
