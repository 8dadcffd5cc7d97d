"""How a sender stands: what the account wants, and what it has proven (R-PROOF).

Read by one query, for every message and for the card; `messages.resolution` decides from it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from kartramail.accounts.models import Account
from kartramail.clock import now
from kartramail.column_types import IdType, UtcDateTime
from kartramail.domains.standing import DomainStanding, domain_standing
from kartramail.errors import NotFound
from kartramail.senders.models import Gateway, MailboxProof, Placeholder, Sender

PROOF_LIFETIME = timedelta(days=365)
"""How long a followed link proves a mailbox (R-PROOF)."""

_AT_ONCE = 500
"""Numbers in one query: databases bound the parameters of a statement."""


class Proof(StrEnum):
    """By what a send-from address is the account's own."""

    NONE = "none"
    MAILBOX = "mailbox"
    DOMAIN = "domain"
    PLACEHOLDER = "placeholder"


@dataclass(frozen=True, slots=True)
class SenderStanding:
    """A sender as it is wanted, with the proof of its send-from.

    `placeholder` is the account's generated address, whole, in use or in reserve. `domain` is how
    the domain of the send-from stands, `mailbox_proven` whether the mailbox alone is proven.
    """

    sender_id: int
    account_id: int
    business_name: str
    name: str
    send_from: str
    reply_to: str | None
    low_delivery_accepted: bool
    placeholder: str
    proof: Proof
    domain: DomainStanding
    mailbox_proven: bool = False


def gateway_standing(session: Session, account_id: int, platform_domain: str) -> SenderStanding:
    """The standing of the account's default sender. Raises NotFound for an account without one."""
    row = session.connection().execute(_gateway_query(), _values(account_id)).first()
    if row is None:
        raise NotFound("this account has no default sender")
    return _read(session, row, platform_domain)


def sender_standing(
    session: Session, account_id: int, sender_id: int, platform_domain: str
) -> SenderStanding | None:
    """The standing of one sender of this account; None where it has no such sender.

    A removed one stands as what took its place, as messages may wait that still name it.
    """
    values = _values(account_id) | {"sender_id": sender_id}
    row = session.connection().execute(_sender_query(), values).first()
    return _read(session, row, platform_domain) if row else None


def load_standings(
    session: Session, account_id: int, platform_domain: str
) -> dict[int, SenderStanding]:
    """The standings of all senders of this account, by number; each domain is looked at once."""
    domains: dict[str, DomainStanding] = {}
    query = _query().where(col(Sender.removed_at).is_(None))
    rows = session.connection().execute(query, _values(account_id)).all()
    return {row.id: _read(session, row, platform_domain, domains) for row in rows}


def known_senders(session: Session, account_id: int, ids: Collection[int]) -> set[int]:
    """Those of these numbers that are senders of this account, and not removed."""
    wanted = sorted(set(ids))
    found: set[int] = set()
    for start in range(0, len(wanted), _AT_ONCE):
        rows = session.connection().execute(
            select(Sender.id).where(
                Sender.account_id == account_id,
                col(Sender.id).in_(wanted[start : start + _AT_ONCE]),
                col(Sender.removed_at).is_(None),
            )
        )
        found.update(row.id for row in rows)
    return found


def _values(account_id: int) -> dict[str, Any]:
    return {"account_id": account_id, "proven_after": now() - PROOF_LIFETIME}


@cache
def _gateway_query() -> Select[Any]:
    is_default = and_(
        col(Gateway.account_id) == Sender.account_id, col(Gateway.sender_id) == Sender.id
    )
    return _query().join(Gateway, is_default)


@cache
def _sender_query() -> Select[Any]:
    replacement = aliased(Sender)
    wanted = bindparam("sender_id", type_=IdType)
    replaced_by = (
        select(replacement.replaced_by_id)
        .where(
            col(replacement.account_id) == bindparam("account_id"),
            col(replacement.id) == wanted,
            col(replacement.removed_at).is_not(None),
        )
        .scalar_subquery()
    )
    return _query().where(
        col(Sender.id) == func.coalesce(replaced_by, wanted), col(Sender.removed_at).is_(None)
    )


def _query() -> Select[Any]:
    is_proven = and_(
        col(MailboxProof.account_id) == Sender.account_id,
        col(MailboxProof.address_key) == Sender.from_key,
        col(MailboxProof.proven_at) > bindparam("proven_after", type_=UtcDateTime()),
    )
    is_its_own = and_(
        col(Placeholder.account_id) == Sender.account_id, col(Placeholder.retired_at).is_(None)
    )
    columns: tuple[Any, ...] = (
        Sender.id,
        Sender.account_id,
        Account.business_name,
        Sender.name,
        Sender.send_from,
        Sender.from_key,
        Sender.from_domain,
        Sender.reply_to,
        col(Sender.low_delivery_accepted_at).is_not(None).label("low_delivery_accepted"),
        Placeholder.local,
        MailboxProof.proven_at,
    )
    query: Select[Any] = (
        select(*columns)
        .join(Account, col(Account.id) == Sender.account_id)
        .join(Placeholder, is_its_own)
        .outerjoin(MailboxProof, is_proven)
        .where(col(Sender.account_id) == bindparam("account_id"))
    )
    return query


def _read(
    session: Session,
    row: Row[Any],
    platform_domain: str,
    domains: dict[str, DomainStanding] | None = None,
) -> SenderStanding:
    """The standing that a row says. `domains` are those of this account that were looked at."""
    placeholder = f"{row.local}@{platform_domain}"
    is_placeholder = row.from_key == placeholder
    known = {} if domains is None else domains
    if not is_placeholder and row.from_domain not in known:
        known[row.from_domain] = domain_standing(session, row.account_id, row.from_domain)
    domain = DomainStanding(platform_domain) if is_placeholder else known[row.from_domain]
    is_mailbox_proven = _still_counts(row.proven_at, domain)
    return SenderStanding(
        sender_id=row.id,
        account_id=row.account_id,
        business_name=row.business_name,
        name=row.name,
        send_from=row.send_from,
        reply_to=row.reply_to,
        low_delivery_accepted=row.low_delivery_accepted,
        placeholder=placeholder,
        proof=_proof(is_placeholder, domain, is_mailbox_proven),
        domain=domain,
        mailbox_proven=is_mailbox_proven,
    )


def _still_counts(proven_at: datetime | None, domain: DomainStanding) -> bool:
    """A proof ends when another account proves the domain by DNS after it (R-CLAIM)."""
    if proven_at is None:
        return False
    return domain.claimed_at is None or proven_at > domain.claimed_at


def _proof(is_placeholder: bool, domain: DomainStanding, is_mailbox_proven: bool) -> Proof:
    if is_placeholder:
        return Proof.PLACEHOLDER
    if domain.is_authenticated:
        return Proof.DOMAIN
    return Proof.MAILBOX if is_mailbox_proven else Proof.NONE
