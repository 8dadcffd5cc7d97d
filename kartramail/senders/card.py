"""What pages show of senders: as they are saved, how they stand, who saved last (R-CARD)."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from kartramail.accounts.models import History, User
from kartramail.errors import NotFound
from kartramail.ids import show_id
from kartramail.senders.proofs import MailboxState, mailbox_state, mailbox_states
from kartramail.senders.rows import SenderView, load_sender, load_senders
from kartramail.senders.service import GatewayView, load_gateway
from kartramail.senders.standing import (
    SenderStanding,
    gateway_standing,
    load_standings,
    sender_standing,
)


@dataclass(frozen=True, slots=True)
class SenderCard:
    """A sender as it is saved, how it stands, and how far the proof of its mailbox is."""

    sender: SenderView
    standing: SenderStanding
    mailbox: MailboxState


@dataclass(frozen=True, slots=True)
class GatewayCard(SenderCard):
    """The same of the default sender, with the rest of the configuration."""

    gateway: GatewayView


@dataclass(frozen=True, slots=True)
class LastChange:
    """Who saved a sender last, and when. `full_name` is None for a program."""

    full_name: str | None
    at: datetime


def load_card(session: Session, account_id: int, platform_domain: str) -> GatewayCard:
    """The card of this account. Raises NotFound for an account without a configuration."""
    gateway = load_gateway(session, account_id)
    return GatewayCard(
        sender=gateway,
        standing=gateway_standing(session, account_id, platform_domain),
        mailbox=mailbox_state(session, account_id, gateway.from_key),
        gateway=gateway,
    )


def load_sender_card(
    session: Session, account_id: int, sender_id: int, platform_domain: str
) -> SenderCard:
    """One sender of this account. Raises NotFound for one that is removed, or not theirs."""
    sender = load_sender(session, account_id, sender_id)
    standing = sender_standing(session, account_id, sender_id, platform_domain)
    if standing is None:
        raise NotFound("This account has no such sender.")
    return SenderCard(sender, standing, mailbox_state(session, account_id, sender.from_key))


def list_sender_cards(session: Session, account_id: int, platform_domain: str) -> list[SenderCard]:
    """All senders of this account, the default one first."""
    standings = load_standings(session, account_id, platform_domain)
    senders = load_senders(session, account_id)
    mailboxes = mailbox_states(session, account_id, {sender.from_key for sender in senders})
    return [
        SenderCard(sender, standings[sender.sender_id], mailboxes[sender.from_key])
        for sender in senders
        if sender.sender_id in standings  # not one that was added between the two queries
    ]


def last_change(session: Session, account_id: int, sender: SenderView) -> LastChange | None:
    """The last line of the account's history about this sender (R-SAVE)."""
    statement = (
        select(User.full_name, History.at)
        .select_from(History)
        .outerjoin(User, col(User.id) == History.user_id)
        .where(History.account_id == account_id)
    )
    if sender.is_default:
        statement = statement.where(History.what == "gateway.saved")
    else:
        is_about_it = col(History.after)["sender"].as_string() == show_id(sender.sender_id)
        statement = statement.where(History.what == "sender.saved", is_about_it)
    row = session.exec(statement.order_by(col(History.id).desc()).limit(1)).first()
    return LastChange(*row) if row else None
