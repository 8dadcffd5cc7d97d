"""A test of the mail service, and a sample of the real sender (R-TEST, R-SAMPLE)."""

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded

from kartramail.clock import now
from kartramail.ids import read_id, show_id
from kartramail.messages.queries import MessageProgress, message_progress
from kartramail.messages.service import send_sample, send_test
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.limits import by_person, limiter

blueprint = Blueprint("trial", __name__, url_prefix="/settings/integrations/kartramail")

_LOOKS = 8
"""How often the page looks by itself, once a second; then it says that the message waits."""

_OFTEN = "5 per minute; 30 per day"
_TOO_OFTEN = "You have sent several just now. Wait a minute, then send the next one."


@blueprint.post("/test")
@signed_in_required
@limiter.limit(_OFTEN, key_func=by_person)
def test() -> ResponseReturnValue:
    """Send the signed-in person a message from `notifications@PLATFORM_DOMAIN`."""
    who = person()
    with database().transaction() as session:
        message_id = send_test(
            session,
            installation(),
            who.account_id,
            to=who.email,
            full_name=who.full_name,
            business_name=who.business_name,
        )
    return _answer(message_id, "/settings/integrations#last-test")


@blueprint.post("/sample")
@signed_in_required
@limiter.limit(_OFTEN, key_func=by_person)
def sample() -> ResponseReturnValue:
    """Send the signed-in person a message from the sender that would really be used."""
    who = person()
    with database().transaction() as session:
        message_id = send_sample(
            session, installation(), who.account_id, to=who.email, full_name=who.full_name
        )
    return _answer(message_id, f"{blueprint.url_prefix}/progress/{show_id(message_id)}")


@blueprint.get("/progress/<shown_id>")
@signed_in_required
def progress(shown_id: str) -> ResponseReturnValue:
    """How far a test or sample is: a fragment while the page follows it, else a page."""
    message_id = read_id(shown_id)
    found = _find(message_id) if message_id else None
    if found is None:
        abort(404)
    looks = min(request.args.get("looks", 1, type=int), _LOOKS)
    return _show(found, looks)


@blueprint.errorhandler(RateLimitExceeded)
def say_too_often(_: RateLimitExceeded) -> ResponseReturnValue:
    """One kind sentence, where the result would stand."""
    if _wants_fragment():
        return render_template("senders/_too_often.html", sentence=_TOO_OFTEN), 422
    page = render_template(
        "errors/error.html", code=429, title="That was a little too often", advice=_TOO_OFTEN
    )
    return page, 429


def _answer(message_id: int, page: str) -> ResponseReturnValue:
    if not _wants_fragment():
        return redirect(page, 303)
    found = _find(message_id)
    if found is None:
        abort(404)
    return _show(found, looks=0)


def _find(message_id: int) -> MessageProgress | None:
    with database().reading() as session:
        return message_progress(session, person().account_id, message_id)


def _show(found: MessageProgress, looks: int) -> str:
    is_following = not found.is_final and looks < _LOOKS
    return render_template(
        "senders/_progress.html" if _wants_fragment() else "senders/progress.html",
        progress=found,
        follow=f"{show_id(found.id)}?looks={looks + 1}" if is_following else "",
        moment=now(),
    )


def _wants_fragment() -> bool:
    return bool(request.htmx and not request.htmx.boosted)  # type: ignore[attr-defined]
