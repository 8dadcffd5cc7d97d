"""What one does to a message: try it again now, cancel it. It answers with the message's page."""

from flask import Blueprint, flash, redirect
from flask.typing import ResponseReturnValue

from kartramail.activity.not_here import no_such_message
from kartramail.ids import read_id
from kartramail.messages.by_hand import Outcome, cancel, try_now
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.limits import by_person, limiter

blueprint = Blueprint("message_actions", __name__, url_prefix="/<shown_id>")

_Words = tuple[str, str]

_TRIED: dict[Outcome, _Words] = {
    Outcome.DONE: ("Its next try is due now. What becomes of it stands below.", "ok"),
    Outcome.ALREADY: ("Its next try is due already: it is the next that a worker takes.", "info"),
    Outcome.BEING_SENT: ("Nothing changed: it is being sent right now.", "info"),
    Outcome.NOT_YET_TRIED: (
        "Nothing changed: it has not been tried yet, and leaves when it is its turn.",
        "info",
    ),
    Outcome.ENDED: (
        "Nothing changed: what became of it is settled, and it is not tried again.",
        "warning",
    ),
}
_CANCELLED: dict[Outcome, _Words] = {
    Outcome.DONE: ("Cancelled. It does not leave.", "ok"),
    Outcome.ALREADY: ("It was cancelled before. Nothing changed.", "info"),
    Outcome.CALLED_BACK: (
        "It may already be on its way: the try that is under way ends as it ends, and there is "
        "no other.",
        "warning",
    ),
    Outcome.ENDED: (
        "Too late to cancel: what became of it is settled, and stands below. Nothing changed.",
        "warning",
    ),
}


@blueprint.post("/try-now")
@signed_in_required
@limiter.limit("30 per minute", key_func=by_person)
def try_again(shown_id: str) -> ResponseReturnValue:
    """The next try is due at once."""
    with database().transaction() as session:
        outcome = try_now(
            session, person().account_id, read_id(shown_id) or 0, user_id=person().user_id
        )
    return _answer(shown_id, outcome, _TRIED)


@blueprint.post("/cancel")
@signed_in_required
def call_back(shown_id: str) -> ResponseReturnValue:
    """It does not leave, unless it is on its way."""
    why = f"{person().full_name or person().email} cancelled it"
    with database().transaction() as session:
        outcome = cancel(
            session, person().account_id, read_id(shown_id) or 0, why, user_id=person().user_id
        )
    return _answer(shown_id, outcome, _CANCELLED)


def _answer(shown_id: str, outcome: Outcome, words: dict[Outcome, _Words]) -> ResponseReturnValue:
    if outcome is Outcome.NOT_FOUND:
        no_such_message()
    flash(*words[outcome])
    return redirect(f"/activity/{shown_id}", 303)
