"""A new password: by a link in a mail, or by somebody who is signed in. Ends every sign-in."""

from datetime import timedelta

from sqlmodel import Session

from kartramail.accounts.failed_sign_ins import forget_tries
from kartramail.accounts.links import find_link, make_link, use_link, withdraw_links
from kartramail.accounts.models import OneTimeToken, TokenPurpose, User
from kartramail.accounts.open_invitations import inviting_account
from kartramail.accounts.service import find_user, home_account, load_user, lock_user
from kartramail.accounts.sign_ins import end_sign_ins_of_user
from kartramail.outbox.platform_mail import enqueue_platform_mail

RESET_LIFETIME = timedelta(hours=1)
_NOBODY = 0  # the number of no person


def request_reset(session: Session, base_url: str, email_key: str) -> None:
    """Mail a link to choose a new password, if there is somebody of that address. Says nothing.

    A stranger's wish makes a link as well, which leads to nobody and is given to nobody: the same
    questions are asked and as much is written (R-SAFE).
    """
    user = find_user(session, email_key)
    purpose, user_id = TokenPurpose.RESET_PASSWORD, user.id if user else _NOBODY
    account_id = account_to_mail_from(session, user_id, email_key)
    withdraw_links(session, purpose, user_id=user_id)
    if user is None or account_id is None:
        make_link(session, purpose, "", RESET_LIFETIME)
        return
    raw = make_link(session, purpose, user.email, RESET_LIFETIME, user_id=user.id)
    variables = {"email": user.email, "link": f"{base_url}/reset/{raw}"}
    enqueue_platform_mail(session, "reset_password", user.email, variables, account_id=account_id)


def account_to_mail_from(session: Session, user_id: int, email_key: str) -> int | None:
    """The account that a mail to this person is counted to: theirs, else one that invites them.

    Who was taken out of their only team and is invited again has none of their own.
    """
    account = home_account(session, user_id)
    return account.id if account else inviting_account(session, email_key)


def find_reset(session: Session, raw: str) -> tuple[OneTimeToken, User] | None:
    """The link and its person while it can be used; looking changes nothing."""
    link = find_link(session, raw, TokenPurpose.RESET_PASSWORD)
    if link is None or link.user_id is None:
        return None
    return link, load_user(session, link.user_id)


def reset_password(session: Session, raw: str, password_hash: str) -> User | None:
    """Use the link up and set the password; None where the link is used, old or unknown."""
    found = find_reset(session, raw)
    if found is None:
        return None
    link, user = found[0], lock_user(session, found[1].id)
    if not use_link(session, link):
        return None
    set_password(session, user.id, password_hash)
    return user


def set_password(session: Session, user_id: int, password_hash: str) -> None:
    """Set the password, sign the person out everywhere and void their links to reset it."""
    user = load_user(session, user_id)
    user.password_hash = password_hash
    session.add(user)
    end_sign_ins_of_user(session, user_id)
    withdraw_links(session, TokenPurpose.RESET_PASSWORD, user_id=user_id)
    forget_tries(session, user.email_key)


def tell_of_new_password(session: Session, base_url: str, user: User, account_id: int) -> None:
    """Mail the person that their password was changed, in case it was not them."""
    variables = {"email": user.email, "full_name": user.full_name, "link": f"{base_url}/forgot"}
    enqueue_platform_mail(session, "password_changed", user.email, variables, account_id=account_id)
