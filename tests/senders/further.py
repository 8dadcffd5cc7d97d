"""Further senders of the cast, put in place for tests of what comes after."""

from typing import Any

from sqlmodel import Session

from kartramail.assets.models import Asset
from kartramail.db import Database
from kartramail.rules.addresses import Address
from kartramail.senders.choices import EVERYWHERE, choose_sender
from kartramail.senders.further import add_sender
from kartramail.senders.models import ChoiceScope, Sender
from kartramail.senders.proofs import prove_mailbox
from kartramail.senders.saving import Saved, SenderDetails

SENDERS = "/settings/senders"
NEW = f"{SENDERS}/new"
TICK = {"accept_low_delivery": "y"}
SUPPORT = {
    "sender_name": "Doe support",
    "send_from": "support@doeinc.com",
    "reply_to": "support@doeinc.com",
}


def add(
    db: Database, account_id: int, address: str = "support@doeinc.com", name: str = "Doe support"
) -> int:
    """A sender with its mailbox proven and its tick set; returns its number."""
    local, _, domain = address.partition("@")
    sent = Address(local, domain)
    with db.transaction() as session:
        added = add_sender(
            session,
            account_id,
            SenderDetails(name, sent, sent, accepts_low_delivery=True),
            user_id=None,
            platform_domain="kartra.com",
            base_url="http://127.0.0.1:5000",
        )
        assert isinstance(added, Saved)
        prove_mailbox(session, account_id, sent.key)
    return added.sender.sender_id


def choose_for_asset(
    db: Database,
    account_id: int,
    sender_id: int,
    *types: str,
    kind: str = "calendar",
    name: str = "Coaching",
) -> int:
    """A new thing whose notifications of these types come from the sender; returns its number."""
    with db.transaction() as session:
        asset = Asset(account_id=account_id, kind=kind, name=name)
        session.add(asset)
        session.flush()
        for each in types or ("calendar.booked",):
            choose_sender(session, account_id, ChoiceScope.ASSET, asset.id, each, sender_id)
    return asset.id


def choose_everywhere(db: Database, account_id: int, sender_id: int, type_name: str) -> None:
    """Let a notification come from the sender wherever no other one is chosen."""
    with db.transaction() as session:
        scope = ChoiceScope.NOTIFICATION
        choose_sender(session, account_id, scope, EVERYWHERE, type_name, sender_id)


def row(session: Session, sender_id: int) -> Any:
    """The sender's row, removed or not."""
    found = session.get(Sender, sender_id)
    assert found is not None
    return found
