"""The account's KartraMail configuration: filled in at sign-up, read, tested (R-PREFILL)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select
from sqlmodel import Session, col, select, update

from kartramail.domains.service import note_domain
from kartramail.errors import NotFound
from kartramail.rules.addresses import Address
from kartramail.rules.sender_names import fit_sender_name
from kartramail.senders.models import Gateway, Sender
from kartramail.senders.placeholders import give_placeholder
from kartramail.senders.proofs import prove_mailbox
from kartramail.senders.rows import SENDER_COLUMNS, SenderView

__all__ = [
    "GatewayView",
    "load_gateway",
    "lock_gateway",
    "note_domain_of",
    "prefill_gateway",
    "prove_mailbox",
    "record_test",
]

_COLUMNS: tuple[Any, ...] = (*SENDER_COLUMNS, Gateway.is_active, Gateway.last_test_message_id)
_GATEWAY: Select[Any] = select(*_COLUMNS).join(
    Sender,
    (col(Sender.account_id) == Gateway.account_id) & (col(Sender.id) == Gateway.sender_id),
)


@dataclass(frozen=True, slots=True)
class GatewayView(SenderView):
    """The account's default sender as it is saved, and the message of its last test."""

    is_active: bool
    last_test_message_id: int | None


def prefill_gateway(
    session: Session,
    *,
    account_id: int,
    business_name: str,
    address: Address,
    is_free: bool,
    platform_domain: str,
) -> None:
    """Fill the configuration in, so that the account can send once it is confirmed (R-PREFILL).

    May be called again where a later sign-up replaces an unconfirmed one.
    """
    placeholder = give_placeholder(session, account_id, business_name, platform_domain)
    gateway = session.get(Gateway, account_id)
    sender = session.get(Sender, gateway.sender_id) if gateway else None
    values: dict[str, Any] = {
        "name": fit_sender_name(business_name),
        "send_from": placeholder if is_free else address.text,
        "from_key": placeholder if is_free else address.key,
        "from_domain": platform_domain if is_free else address.domain,
        "reply_to": None if is_free else address.text,
        "low_delivery_accepted_at": None,
    }
    if sender is None:
        sender = Sender(account_id=account_id, **values)
    else:
        sender.sqlmodel_update(values | {"version": sender.version + 1})
    session.add(sender)
    session.flush()
    if gateway is None:
        session.add(Gateway(account_id=account_id, sender_id=sender.id))
        session.flush()
    if not is_free:
        note_domain_of(session, account_id, address.domain, platform_domain)


def note_domain_of(session: Session, account_id: int, domain: str, platform_domain: str) -> None:
    """Let the domain of a send-from be among the account's domains (R-DOMAIN), but the platform's.

    Also where an authenticated domain above speaks for it: its own DMARC record may say otherwise.
    """
    if domain != platform_domain:
        note_domain(session, account_id, domain)


def load_gateway(session: Session, account_id: int) -> GatewayView:
    """The account's configuration. Raises NotFound for an account without one."""
    row = (
        session.connection().execute(_GATEWAY.where(col(Gateway.account_id) == account_id)).first()
    )
    if row is None:
        raise NotFound("this account has no KartraMail configuration")
    return GatewayView(*row)


def lock_gateway(session: Session, account_id: int) -> None:
    """Let whoever else wants to change this account's configuration wait for this transaction.

    On SQLite a transaction that writes has the whole database to itself anyway.
    """
    query = select(Gateway.account_id).where(Gateway.account_id == account_id)
    session.connection().execute(query.with_for_update())


def record_test(session: Session, account_id: int, message_id: int) -> None:
    """Remember the message of the last test, for the card."""
    session.connection().execute(
        update(Gateway)
        .where(col(Gateway.account_id) == account_id)
        .values(last_test_message_id=message_id)
    )
