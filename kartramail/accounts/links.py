"""Links in mails that work once: made, looked at, used. Only their hash is kept."""

import hashlib
import secrets
from datetime import timedelta

from sqlmodel import Session, col, select, update

from kartramail.accounts.models import OneTimeToken, TokenPurpose
from kartramail.clock import now


def hash_link(raw: str) -> str:
    """What the database knows of a link. The link has 256 bits of chance, so no salt is needed."""
    return hashlib.sha256(raw.encode()).hexdigest()


def make_link(
    session: Session,
    purpose: TokenPurpose,
    address: str,
    lifetime: timedelta,
    *,
    account_id: int | None = None,
    user_id: int | None = None,
) -> str:
    """A new link's token, to be put into an address and a mail and nowhere else."""
    raw = secrets.token_urlsafe(32)
    session.add(
        OneTimeToken(
            hash=hash_link(raw),
            purpose=purpose,
            account_id=account_id,
            user_id=user_id,
            address=address,
            expires_at=now() + lifetime,
        )
    )
    return raw


def find_link(session: Session, raw: str, purpose: TokenPurpose) -> OneTimeToken | None:
    """The link, if it can still be used; looking changes nothing (mail scanners look)."""
    statement = select(OneTimeToken).where(
        OneTimeToken.hash == hash_link(raw),
        OneTimeToken.purpose == purpose,
        col(OneTimeToken.used_at).is_(None),
        OneTimeToken.expires_at > now(),
    )
    return session.exec(statement).first()


def use_link(session: Session, link: OneTimeToken) -> bool:
    """Use it up. False where another request was quicker, or voided it: the database decides."""
    at = now()
    result = session.connection().execute(
        update(OneTimeToken)
        .where(
            col(OneTimeToken.hash) == link.hash,
            col(OneTimeToken.used_at).is_(None),
            col(OneTimeToken.expires_at) > at,
        )
        .values(used_at=at)
    )
    return result.rowcount == 1


def withdraw_links(
    session: Session,
    purpose: TokenPurpose,
    *,
    user_id: int | None = None,
    account_id: int | None = None,
    address: str | None = None,
) -> None:
    """Make all unused links of that purpose for the user, or for the account's address, void."""
    statement = (
        update(OneTimeToken)
        .where(col(OneTimeToken.purpose) == purpose, col(OneTimeToken.used_at).is_(None))
        .values(expires_at=now())
    )
    for column, value in (
        (OneTimeToken.user_id, user_id),
        (OneTimeToken.account_id, account_id),
        (OneTimeToken.address, address),
    ):
        if value is not None:
            statement = statement.where(col(column) == value)
    session.connection().execute(statement)
