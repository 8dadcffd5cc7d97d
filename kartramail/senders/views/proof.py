"""The link that asks a mailbox whether an account may send as it (R-PROOF)."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.senders.proof_requests import (
    Asked,
    answer_proof_request,
    ask_for_proof,
    read_proof_request,
)
from kartramail.senders.service import lock_gateway
from kartramail.senders.standing import Proof
from kartramail.senders.views.places import DefaultSender, Place
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.entry import without_referrer
from kartramail.web.forms import keeps_input
from kartramail.web.fragments import wants_fragment
from kartramail.web.limits import limiter
from kartramail.web.reading import as_read

blueprint = Blueprint("proof", __name__)

_SENT = {
    Asked.SENT: ("ok", "A new link is on its way to {}. Earlier ones no longer work."),
    Asked.TOO_OFTEN: (
        "warning",
        "Several links were sent to {} today already. Use the latest one, or ask for another "
        "tomorrow.",
    ),
    Asked.DECLINED: (
        "warning",
        "Whoever reads {} said that this was not them, so no link was sent. Use another address.",
    ),
    None: ("info", "No link was sent to {}: there is nothing left to prove."),
}


@blueprint.post("/settings/integrations/kartramail/send-link")
@signed_in_required
def send_link_again() -> ResponseReturnValue:
    """Send the link to the wanted send-from once more, and say so where the button is."""
    return answer_send_again(DefaultSender())


def answer_send_again(place: Place) -> ResponseReturnValue:
    """Send the link once more; say so where the button is, or on the page of the sender."""
    kind, words = send_link(place)
    if wants_fragment():
        return render_template("senders/_link_result.html", kind=kind, words=words)
    flash(words, kind)
    return redirect(place.after, 303)


def send_link(place: Place) -> tuple[str, str]:
    """Send it where it is needed; returns what became of it, as kind of banner and words."""
    who, settings = person(), installation().settings
    asked = None
    with database().transaction() as session:
        lock_gateway(session, who.account_id)
        card = place.load(session)
        if card is None:
            return "info", "No link was sent: the sender is not added yet."
        if card.standing.proof is Proof.NONE:
            asked = ask_for_proof(
                session,
                who.account_id,
                card.sender.from_key,
                user_id=who.user_id,
                base_url=settings.base_url,
            )
    kind, words = _SENT[asked]
    return kind, words.format(as_read(card.sender.send_from))


@blueprint.get("/prove/<token>")
@limiter.limit("60 per minute")
@without_referrer
def look(token: str) -> ResponseReturnValue:
    """Which business wants to send as which address. Changes nothing: mail scanners look, too."""
    with database().reading() as session:
        proof_request = read_proof_request(session, token)
    if proof_request is None:
        return render_template("senders/prove_gone.html"), 404
    return render_template("senders/prove.html", proof_request=proof_request, token=token)


@blueprint.post("/prove/<token>")
@keeps_input  # no cookie is asked for: whoever holds the link may answer, so there is no CSRF
@limiter.limit("60 per minute")
@without_referrer
def answer(token: str) -> ResponseReturnValue:
    """Prove the mailbox, or void the link, as its reader decides. Works once, signed in or not."""
    is_agreed = request.form.get("answer") != "decline"
    with database().transaction() as session:
        proof_request = answer_proof_request(session, token, is_agreed=is_agreed)
    if proof_request is None:
        return render_template("senders/prove_gone.html"), 404
    return render_template(
        "senders/prove_answered.html", proof_request=proof_request, is_agreed=is_agreed
    )
