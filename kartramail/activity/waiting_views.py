"""What waits, and why; pausing mail and letting it leave again (R-FAIR)."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.activity.not_here import no_such_lane
from kartramail.activity.waiting import pause, resume, show_waiting, version_of
from kartramail.clock import now
from kartramail.ids import read_id
from kartramail.web.access import database, installation, person, signed_in_required

blueprint = Blueprint("waiting", __name__)

_SWITCHES = {"pause": pause, "resume": resume}
_SAID = {
    ("pause", True): (
        "Paused. What is on its way still arrives; all else waits until you resume it.",
        "ok",
    ),
    ("pause", False): ("It was paused before. Nothing changed.", "info"),
    ("resume", True): ("Resumed. What waited leaves now.", "ok"),
    ("resume", False): ("It was not paused. Nothing changed.", "info"),
}


@blueprint.get("/waiting")
@signed_in_required
def page() -> ResponseReturnValue:
    """The whole of it, with buttons."""
    return render_template("activity/waiting.html", **about_waiting(), is_whole=True, moment=now())


@blueprint.get("/waiting/panel")
@signed_in_required
def panel() -> ResponseReturnValue:
    """The panel alone: 204 while it looks as the page that asks already shows it."""
    about = about_waiting()
    if request.args.get("seen") == about["waiting_version"]:
        return "", 204
    is_whole = request.args.get("whole") == "1"
    return render_template("activity/_waiting.html", **about, is_whole=is_whole, moment=now())


@blueprint.post("/lanes/<shown_id>/pause", defaults={"what": "pause"})
@blueprint.post("/lanes/<shown_id>/resume", defaults={"what": "resume"})
@signed_in_required
def switch(shown_id: str, what: str) -> ResponseReturnValue:
    """What waits or comes stays here until it is resumed; or it leaves again."""
    with database().transaction() as session:
        has_changed = _SWITCHES[what](
            session, person().account_id, read_id(shown_id) or 0, user_id=person().user_id
        )
    if has_changed is None:
        no_such_lane()
    flash(*_SAID[what, has_changed])
    return redirect("/activity/waiting", 303)


def about_waiting() -> dict[str, object]:
    """What the panel shows."""
    with database().reading() as session:
        shown = show_waiting(session, person().account_id, installation().settings)
    return {"lanes": shown, "waiting_version": version_of(shown)}
