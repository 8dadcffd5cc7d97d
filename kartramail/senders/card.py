"""What the card and the form show of the default sender (R-CARD)."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from kartramail.accounts.models import History, User
from kartramail.senders.proofs import MailboxState, mailbox_state
from kartramail.senders.service import GatewayView, load_gateway
from kartramail.senders.standing import SenderStanding, gateway_standing


@dataclass(frozen=True, slots=True)
class SenderCard:
    """The default sender as it is saved, how it stands, and how far its proof is."""

    gateway: GatewayView
    standing: SenderStanding
    mailbox: MailboxState


@dataclass(frozen=True, slots=True)
class LastChange:
    """Who saved the default sender last, and when. `full_name` is None for a program."""

    full_name: str | None
    at: datetime


def load_card(session: Session, account_id: int, platform_domain: str) -> SenderCard:
    """The card of this account. Raises NotFound for an account without a configuration."""
    gateway = load_gateway(session, account_id)
    return SenderCard(
        gateway=gateway,
        standing=gateway_standing(session, account_id, platform_domain),
        mailbox=mailbox_state(session, account_id, gateway.from_key),
    )


def last_change(session: Session, account_id: int) -> LastChange | None:
    """The last line of the account's history about its default sender (R-SAVE)."""
    row = session.exec(
        select(User.full_name, History.at)
        .select_from(History)
        .outerjoin(User, col(User.id) == History.user_id)
        .where(History.account_id == account_id, History.what == "gateway.saved")
        .order_by(col(History.id).desc())
        .limit(1)
    ).first()
    return LastChange(*row) if row else None
