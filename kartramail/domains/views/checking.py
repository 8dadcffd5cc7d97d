"""The checklist of one domain: the page, what it asks for by itself, and "Check now" (R-CHECK)."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter import RateLimitExceeded
from flask_login import current_user

from kartramail.domains.checklist import Checklist
from kartramail.domains.service import note_visit
from kartramail.domains.views.finding import find_checklist, find_with_keys, look
from kartramail.domains.views.rendering import remember_who, render_live, render_page
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.fragments import wants_fragment
from kartramail.web.limits import by_person, limiter

blueprint = Blueprint("checking", __name__, url_prefix="/settings/domains/<domain>")

_TOO_OFTEN = "You have asked several times just now. The page looks by itself meanwhile."


@blueprint.get("")
@signed_in_required
def show(domain: str) -> ResponseReturnValue:
    """The checklist: who does it, where, each record with its state, and what to do next."""
    remember_who(request.args.get("who"))
    return render_page(find_with_keys(domain))


@blueprint.get("/live")
def live(domain: str) -> ResponseReturnValue:
    """What changed since the page looked last; asks DNS unless that was seconds ago.

    Only a page that is open asks, and says so in a header: other GETs change nothing.
    """
    is_asked_by_page = wants_fragment()
    if not current_user.is_authenticated:
        if is_asked_by_page:
            return render_template("domains/_poller.html", is_signed_out=True)
        return redirect(url_for("accounts.log_in", next=f"/settings/domains/{domain}"))
    checklist = find_checklist(domain)
    if is_asked_by_page:
        with database().transaction() as session:
            note_visit(session, person().account_id, checklist.domain)
        look(checklist)
        checklist = find_checklist(domain)
    look_number = min(max(request.args.get("look", 1, type=int), 1), 10_000)
    return render_live(checklist, look_number + 1, seen=request.args.get("seen", ""))


@blueprint.post("/check")
@signed_in_required
@limiter.limit("12 per minute", key_func=by_person)
def check(domain: str) -> ResponseReturnValue:
    """Ask DNS now, and show what it says."""
    checklist = find_checklist(domain)
    with database().transaction() as session:
        note_visit(session, person().account_id, checklist.domain)
    look(checklist, is_forced=True)
    checklist = find_checklist(domain)
    if wants_fragment():
        return render_live(checklist, 1)
    flash(_found_words(checklist), "info")
    return redirect(f"/settings/domains/{checklist.domain}", 303)


@blueprint.errorhandler(RateLimitExceeded)
def say_too_often(_: RateLimitExceeded) -> ResponseReturnValue:
    """One kind sentence."""
    page = render_template(
        "errors/error.html", code=429, title="That was a little too often", advice=_TOO_OFTEN
    )
    return page, 429


def _found_words(checklist: Checklist) -> str:
    needed = len(checklist.needed)
    return f"Checked just now: {needed - checklist.missing} of {needed} records are found."
