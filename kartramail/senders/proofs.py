"""Proofs of mailboxes: somebody who reads the mailbox followed a link sent to it (R-PROOF)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, delete, select

from kartramail.accounts.models import History, OneTimeToken, TokenPurpose
from kartramail.clock import now
from kartramail.senders.models import MailboxProof
from kartramail.senders.standing import PROOF_LIFETIME

DECLINED_FOR = timedelta(days=30)
"""How long an account leaves a mailbox alone whose reader said "this was not me"."""


@dataclass(frozen=True, slots=True)
class MailboxState:
    """How far the proof of one mailbox is, for the card and the form."""

    proven_until: datetime | None
    asked_at: datetime | None
    link_ends_at: datetime | None
    is_declined: bool


def prove_mailbox(session: Session, account_id: int, address_key: str) -> None:
    """From now on, and for 12 months, the account may send as this address."""
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    fresh = {"proven_at": now(), "asked_again_at": None}
    session.connection().execute(
        dialect.insert(MailboxProof)
        .values(account_id=account_id, address_key=address_key, **fresh)
        .on_conflict_do_update(index_elements=["account_id", "address_key"], set_=fresh)
    )


def unprove_mailbox(session: Session, account_id: int, address_key: str) -> bool:
    """End the proof of this mailbox at once; False where there was none."""
    ended = session.connection().execute(
        delete(MailboxProof).where(
            col(MailboxProof.account_id) == account_id,
            col(MailboxProof.address_key) == address_key,
        )
    )
    return bool(ended.rowcount)


def mailbox_state(session: Session, account_id: int, address_key: str) -> MailboxState:
    """How far the proof of this mailbox is."""
    return mailbox_states(session, account_id, {address_key})[address_key]


def mailbox_states(
    session: Session, account_id: int, address_keys: Collection[str]
) -> dict[str, MailboxState]:
    """How far the proof of each of these mailboxes is."""
    proven = session.exec(
        select(MailboxProof.address_key, MailboxProof.proven_at).where(
            MailboxProof.account_id == account_id,
            col(MailboxProof.address_key).in_(address_keys),
        )
    )
    proven_at: dict[str, datetime] = dict(proven.all())
    links = session.exec(
        select(OneTimeToken)
        .where(
            OneTimeToken.account_id == account_id,
            OneTimeToken.purpose == TokenPurpose.PROVE_MAILBOX,
            col(OneTimeToken.address).in_(address_keys),
            col(OneTimeToken.used_at).is_(None),
            OneTimeToken.expires_at > now(),
        )
        .order_by(col(OneTimeToken.created_at))
    )
    link_of = {link.address: link for link in links}
    declined = addresses_in_history(session, account_id, "mailbox.declined", now() - DECLINED_FOR)
    return {
        key: _state(proven_at.get(key), link_of.get(key), is_declined=key in declined)
        for key in address_keys
    }


def _state(
    proven_at: datetime | None, link: OneTimeToken | None, *, is_declined: bool
) -> MailboxState:
    ends_at = proven_at + PROOF_LIFETIME if proven_at else None
    return MailboxState(
        proven_until=ends_at if ends_at and ends_at > now() else None,
        asked_at=link.created_at if link else None,
        link_ends_at=link.expires_at if link else None,
        is_declined=is_declined,
    )


def addresses_in_history(
    session: Session, account_id: int, what: str, since: datetime
) -> list[str]:
    """The addresses that the account's history names under `what` since then."""
    lines = session.exec(
        select(History.after).where(
            History.account_id == account_id, History.what == what, History.at > since
        )
    )
    return [str(line.get("address")) for line in lines]
