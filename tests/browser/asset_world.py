"""Forms, calendars and products for the tour, some of which have a sender of their own."""

from sqlmodel import Session

from kartramail.assets.kinds import TYPES
from kartramail.assets.service import create_asset
from kartramail.assets.settings import change_setting
from kartramail.assets.views.paths import path_of
from kartramail.rules.addresses import Address
from kartramail.senders.further import add_sender
from kartramail.senders.proofs import prove_mailbox
from kartramail.senders.saving import Saved, SenderDetails
from tests.support.cast import Actor

NAMES = {
    "product": ("Beginners' course", "Yoga mat", "Ten classes"),
    "form": ("Newsletter", "Trial class", "Waiting list"),
    "survey": ("How was your first class?",),
    "webinar": ("Breathing, live",),
    "membership": ("Fern circle",),
    "helpdesk": ("Front desk",),
    "page": ("Free breathing guide",),
    "calendar": ("Private lesson", "Morning yoga, drop-in"),
}


def furnish_assets(session: Session, actor: Actor, signed: str, unsigned: str) -> dict[str, str]:
    """Two senders, on a domain that is authenticated and on one that is not; the paths of pages."""
    account_id = actor.account_id
    own = _add_sender(session, actor, "Fern Yoga studio", Address("studio", signed))
    _add_sender(session, actor, "Fern Shop", Address("shop", unsigned))
    paths = {}
    for kind, names in NAMES.items():
        for name in names:
            asset = create_asset(session, account_id, kind, name)
            paths[name] = path_of(asset)
            if name in ("Private lesson", "Ten classes"):
                changes: dict[str, object] = {"sender_id": own}
                if kind == "calendar":
                    changes["subject"] = "{{ contact.first_name }}, your lesson is booked"
                one = TYPES["calendar.booked" if kind == "calendar" else "product.receipt"]
                change_setting(session, account_id, asset.id, one, changes, user_id=actor.user_id)
    return paths


def _add_sender(session: Session, actor: Actor, name: str, address: Address) -> int:
    saved = add_sender(
        session,
        actor.account_id,
        SenderDetails(name, address, address),
        user_id=actor.user_id,
        platform_domain="kartra.com",
        base_url="http://127.0.0.1:5000",
    )
    assert isinstance(saved, Saved)
    prove_mailbox(session, actor.account_id, address.key)
    return saved.sender.sender_id
