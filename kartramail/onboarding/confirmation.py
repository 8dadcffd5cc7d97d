"""Confirming a sign-up: the link, the password chosen at sign-up, the proof of the mailbox."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from kartramail.accounts.history import record_change
from kartramail.accounts.linkable import shown_to_stranger
from kartramail.accounts.links import find_link, make_link, use_link, withdraw_links
from kartramail.accounts.models import Account, OneTimeToken, TokenPurpose, User
from kartramail.accounts.service import find_user, home_account, load_user, lock_user
from kartramail.clock import now
from kartramail.outbox.platform_mail import enqueue_platform_mail
from kartramail.senders.proofs import prove_mailbox

CONFIRM_LIFETIME = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class OpenSignUp:
    """What a link to confirm leads to."""

    link: OneTimeToken
    user: User
    account: Account


def send_confirmation(session: Session, base_url: str, user: User, account: Account) -> None:
    """Mail the link that confirms; the one before is void."""
    withdraw_links(session, TokenPurpose.CONFIRM_SIGNUP, user_id=user.id)
    raw = make_link(
        session, TokenPurpose.CONFIRM_SIGNUP, user.email, CONFIRM_LIFETIME, user_id=user.id
    )
    variables = {
        "business_name": shown_to_stranger(account.business_name, "a business"),
        "email": user.email,
        "link": f"{base_url}/confirm/{raw}",
    }
    enqueue_platform_mail(session, "confirm_signup", user.email, variables, account_id=account.id)


def is_confirmed_since(session: Session, email_key: str, asked_at: datetime) -> bool:
    """Whether a sign-up that was made at `asked_at` is confirmed: the first tab asks (R-SIGNUP).

    False for an address that was known before, so that this tells nothing about it.
    """
    user = find_user(session, email_key)
    return user is not None and user.confirmed_at is not None and user.confirmed_at >= asked_at


def find_sign_up(session: Session, raw: str) -> OpenSignUp | None:
    """What a link confirms, while it can be used; looking changes nothing."""
    link = find_link(session, raw, TokenPurpose.CONFIRM_SIGNUP)
    if link is None or link.user_id is None:
        return None
    user = load_user(session, link.user_id)
    account = home_account(session, user.id)
    return OpenSignUp(link, user, account) if account else None


def confirm_sign_up(session: Session, raw: str, password_hash: str) -> User | None:
    """Use the link up and confirm. The door has compared the password with `password_hash`.

    None where the link is used, old or void, or the sign-up was replaced since the comparison.
    """
    found = find_sign_up(session, raw)
    if found is None:
        return None
    user = lock_user(session, found.user.id)
    if user.password_hash != password_hash or not use_link(session, found.link):
        return None
    confirm_person(session, user)
    return user


def confirm_person(session: Session, user: User) -> None:
    """The mailbox of this person answered: confirm them and the account they signed up (R-PREFILL).

    Also after a reset of the password, whose link went to the same mailbox. Does nothing twice.
    """
    if user.confirmed_at is not None:
        return
    at = now()
    user.confirmed_at = at
    session.add(user)
    withdraw_links(session, TokenPurpose.CONFIRM_SIGNUP, user_id=user.id)
    account = home_account(session, user.id)
    if account is not None and account.confirmed_at is None:
        account.confirmed_at = at
        session.add(account)
        session.flush()
        prove_mailbox(session, account.id, user.email_key)
        record_change(session, account.id, "account.confirmed", user_id=user.id)
