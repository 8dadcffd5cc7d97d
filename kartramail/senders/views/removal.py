"""Removing a sender: where it is in use, and what takes its place (R-SENDERS)."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.assets.service import asset_names
from kartramail.ids import read_id, show_id
from kartramail.senders.card import SenderCard
from kartramail.senders.forms.picker import Adding, adding_in_picker
from kartramail.senders.forms.tick import is_accepted, is_ticked
from kartramail.senders.low_delivery import LowDelivery, accept_low_delivery, require_tick
from kartramail.senders.picker import load_options
from kartramail.senders.removal import Removed, remove_sender
from kartramail.senders.rows import SenderView
from kartramail.senders.uses import uses_of
from kartramail.senders.views.further import find_place
from kartramail.senders.views.places import DefaultSender
from kartramail.senders.views.use_words import use_lines, use_sentence
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.reading import as_read

blueprint = Blueprint("removal", __name__, url_prefix="/settings/senders/<shown_id>/remove")

_CHOOSE = "Choose the sender that takes its place."
_GONE = "That sender is not there any more. Choose another one."


@blueprint.get("")
@signed_in_required
def ask(shown_id: str) -> ResponseReturnValue:
    """What uses the sender, and the others that could take its place."""
    return _page(shown_id)


@blueprint.post("")
@signed_in_required
def remove(shown_id: str) -> ResponseReturnValue:
    """Remove it. Where it is in use, the page comes back until somebody says what follows it."""
    card = _load(shown_id)
    adding = adding_in_picker()
    if adding is not None:
        return _page(
            shown_id, adding=adding, chosen_id=read_id(request.form.get("replacement", ""))
        )
    chosen_id = read_id(request.form.get("replacement", ""))
    if request.form.get("replacement") and not _is_there(chosen_id, card):
        return _page(shown_id, problem=_GONE)
    asked = _missing_tick(chosen_id)
    if asked is not None:
        return _page(shown_id, chosen_id=chosen_id, asked=asked)
    with database().transaction() as session:
        who = person()
        outcome = remove_sender(
            session, who.account_id, card.sender.sender_id, chosen_id, user_id=who.user_id
        )
        if isinstance(outcome, Removed) and outcome.replacement is not None and is_ticked():
            accept_low_delivery(
                session, who.account_id, outcome.replacement.sender_id, user_id=who.user_id
            )
    if not isinstance(outcome, Removed):
        return _page(shown_id, problem=_CHOOSE)
    flash(_removed_words(outcome), "ok")
    return redirect("/settings/senders", 303)


def _load(shown_id: str) -> SenderCard:
    with database().reading() as session:
        return find_place(shown_id).load(session)


def _is_there(chosen_id: int | None, card: SenderCard) -> bool:
    if chosen_id is None or chosen_id == card.sender.sender_id:
        return False
    platform_domain = installation().settings.platform_domain
    with database().reading() as session:
        options = load_options(session, person().account_id, platform_domain)
    return any(option.id == chosen_id for option in options)


def _missing_tick(chosen_id: int | None) -> LowDelivery | None:
    """What R-LOWDELIV asks for before this one may take the place."""
    if chosen_id is None:
        return None
    platform_domain = installation().settings.platform_domain
    with database().reading() as session:
        asked = require_tick(session, person().account_id, chosen_id, platform_domain)
    return None if asked is None or is_accepted(asked) else asked


def _page(
    shown_id: str,
    *,
    problem: str = "",
    chosen_id: int | None = None,
    asked: LowDelivery | None = None,
    adding: Adding | None = None,
) -> ResponseReturnValue:
    account_id, platform_domain = person().account_id, installation().settings.platform_domain
    card = _load(shown_id)
    if card.sender.is_default:
        return redirect(DefaultSender.path, 303)
    with database().reading() as session:
        uses = uses_of(session, account_id, card.sender.sender_id)
        names = asset_names(session, account_id, uses.by_asset)
        options = load_options(session, account_id, platform_domain)
    page = render_template(
        "senders/removal.html",
        card=card,
        shown_id=show_id(card.sender.sender_id),
        uses=uses,
        sentence=use_sentence(uses, names),
        lines=use_lines(uses, names),
        options=[option for option in options if option.id != card.sender.sender_id],
        problem=problem,
        chosen_id=chosen_id,
        asked=asked,
        adding=adding,
    )
    return page, 422 if problem or asked else 200


def _removed_words(removed: Removed) -> str:
    words = f"{_named(removed.sender)} is removed."
    if removed.replacement is None:
        return words
    return f"{words} What used it comes from {_named(removed.replacement)} now."


def _named(sender: SenderView) -> str:
    return f"{sender.name} <{as_read(sender.send_from)}>"
