"""Settings › Senders: all of them, and the form of each (R-SENDERS)."""

from flask import Blueprint, abort, redirect, render_template
from flask.typing import ResponseReturnValue

from kartramail.ids import read_id
from kartramail.messages.resolution import resolve_sender
from kartramail.senders.card import list_sender_cards
from kartramail.senders.views.form_flow import save_form, show_form
from kartramail.senders.views.places import DefaultSender, FurtherSender, NewSender
from kartramail.senders.views.proof import answer_send_again
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.forms import keeps_input

blueprint = Blueprint("further", __name__)


@blueprint.get("/settings/senders")
@signed_in_required
def index() -> str:
    """Every sender as a recipient sees it, with the state of its proof and its domain."""
    with database().reading() as session:
        platform_domain = installation().settings.platform_domain
        cards = list_sender_cards(session, person().account_id, platform_domain)
    return render_template(
        "senders/index.html",
        rows=[(card, resolve_sender(card.standing)) for card in cards],
    )


@blueprint.get(NewSender.path)
@signed_in_required
def show_new() -> ResponseReturnValue:
    """The empty form."""
    return show_form(NewSender())


@blueprint.post(NewSender.path)
@keeps_input
def add() -> ResponseReturnValue:
    """Add what was typed, or show it again with what is wrong."""
    return save_form(NewSender())


@blueprint.get("/settings/senders/<shown_id>")
@signed_in_required
def show(shown_id: str) -> ResponseReturnValue:
    """The form of one sender; that of the default one is under Integrations."""
    place = find_place(shown_id)
    with database().reading() as session:
        is_default = place.load(session).sender.is_default
    return redirect(DefaultSender.path) if is_default else show_form(place)


@blueprint.post("/settings/senders/<shown_id>")
@keeps_input
def save(shown_id: str) -> ResponseReturnValue:
    """Save what was typed, or show it again with what is wrong."""
    return save_form(find_place(shown_id))


@blueprint.post("/settings/senders/<shown_id>/send-link")
@signed_in_required
def send_link_again(shown_id: str) -> ResponseReturnValue:
    """Send the link to the send-from of this sender once more."""
    return answer_send_again(find_place(shown_id))


def find_place(shown_id: str) -> FurtherSender:
    """The sender that an address names; whether it is there is found out with what is asked."""
    sender_id = read_id(shown_id)
    return FurtherSender(sender_id) if sender_id is not None else abort(404)
