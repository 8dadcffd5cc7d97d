"""Settings › Integrations: the KartraMail card (R-CARD)."""

from flask import Blueprint, render_template

from kartramail.clock import now
from kartramail.ids import show_id
from kartramail.messages.queries import message_progress
from kartramail.messages.resolution import resolve_sender
from kartramail.senders.card import SenderCard, load_card
from kartramail.senders.rounds import NOTICE
from kartramail.senders.standing import Proof
from kartramail.web.access import database, installation, person, signed_in_required

blueprint = Blueprint("card", __name__)


@blueprint.get("/settings/integrations")
@signed_in_required
def index() -> str:
    """The modules; of KartraMail, the sender that is really used now, and the last test."""
    account_id = person().account_id
    with database().reading() as session:
        card = load_card(session, account_id, installation().settings.platform_domain)
        test_id = card.gateway.last_test_message_id
        last_test = message_progress(session, account_id, test_id) if test_id else None
    return render_template(
        "integrations/index.html",
        card=card,
        resolution=resolve_sender(card.standing),
        progress=last_test,
        follow=f"{show_id(last_test.id)}?looks=1" if last_test and not last_test.is_final else "",
        ends_soon=_ends_soon(card),
        moment=now(),
    )


def _ends_soon(card: SenderCard) -> bool:
    """Whether the proof that the sender rests on needs its yearly answer now (R-PROOF)."""
    ends_at = card.mailbox.proven_until
    return card.standing.proof is Proof.MAILBOX and ends_at is not None and ends_at < now() + NOTICE
