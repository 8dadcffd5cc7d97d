"""A test of the mail service, and a sample of the real sender (R-TEST, R-SAMPLE)."""

from flask import Blueprint, abort, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.clock import now
from kartramail.ids import read_id, show_id
from kartramail.messages.queries import MessageProgress, message_progress
from kartramail.messages.service import send_sample, send_test
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.fragments import wants_fragment
from kartramail.web.limits import is_too_often

blueprint = Blueprint("trial", __name__, url_prefix="/settings/integrations/kartramail")

_LOOKS = 8
"""How often the page looks by itself, once a second; then it says that the message waits."""

_OFTEN = "5 per minute; 30 per day"
TOO_OFTEN = "You have sent several just now. Wait a minute, then send the next one."


@blueprint.post("/test")
@signed_in_required
def test() -> ResponseReturnValue:
    """A test of the mail service, and its answer where the button is."""
    message_id = send_own_test()
    return _answer(message_id, "/settings/integrations#last-test")


@blueprint.post("/sample")
@signed_in_required
def sample() -> ResponseReturnValue:
    """A message as contacts get it, and its answer where the button is."""
    message_id = send_own_sample()
    return _answer(message_id, f"{blueprint.url_prefix}/progress/{show_id(message_id or 0)}")


def send_own_test() -> int | None:
    """Send the signed-in person a message from `notifications@PLATFORM_DOMAIN`.

    Returns its id, or None where they have sent too many just now.
    """
    if is_too_often("test", _OFTEN):
        return None
    who = person()
    with database().transaction() as session:
        return send_test(
            session,
            installation(),
            who.account_id,
            to=who.email,
            full_name=who.full_name,
            business_name=who.business_name,
        )


def send_own_sample() -> int | None:
    """Send the signed-in person a message from the sender that would really be used.

    Returns its id, or None where they have sent too many just now.
    """
    if is_too_often("sample", _OFTEN):
        return None
    who = person()
    with database().transaction() as session:
        return send_sample(
            session, installation(), who.account_id, to=who.email, full_name=who.full_name
        )


@blueprint.get("/progress/<shown_id>")
@signed_in_required
def progress(shown_id: str) -> ResponseReturnValue:
    """How far a test or sample is: a fragment while the page follows it, else a page."""
    message_id = read_id(shown_id)
    found = find_progress(message_id) if message_id else None
    if found is None:
        abort(404)
    looks = min(request.args.get("looks", 1, type=int), _LOOKS)
    return _show(found, looks)


def _say_too_often() -> ResponseReturnValue:
    """One kind sentence, where the result would stand."""
    if wants_fragment():
        return render_template("senders/_too_often.html", sentence=TOO_OFTEN), 422
    page = render_template(
        "errors/error.html", code=429, title="That was a little too often", advice=TOO_OFTEN
    )
    return page, 429


def _answer(message_id: int | None, page: str) -> ResponseReturnValue:
    if message_id is None:
        return _say_too_often()
    if not wants_fragment():
        return redirect(page, 303)
    found = find_progress(message_id)
    if found is None:
        abort(404)
    return _show(found, looks=0)


def find_progress(message_id: int) -> MessageProgress | None:
    """How far a message of the account is, or None where it has none of that id."""
    with database().reading() as session:
        return message_progress(session, person().account_id, message_id)


def _show(found: MessageProgress, looks: int) -> str:
    is_following = not found.is_final and looks < _LOOKS
    return render_template(
        "senders/_progress.html" if wants_fragment() else "senders/progress.html",
        progress=found,
        follow=f"{show_id(found.id)}?looks={looks + 1}" if is_following else "",
        moment=now(),
    )
