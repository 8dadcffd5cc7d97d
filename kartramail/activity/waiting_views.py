"""What waits, and why; pausing mail and letting it leave again (R-FAIR)."""

from flask import Blueprint, abort, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.activity.waiting import pause, resume, show_waiting, version_of
from kartramail.clock import now
from kartramail.ids import read_id
from kartramail.web.access import database, installation, person, signed_in_required

blueprint = Blueprint("waiting", __name__)

_PAUSED = {
    True: ("Paused. What is on its way still arrives; all else waits until you resume it.", "ok"),
    False: ("It was paused before. Nothing changed.", "info"),
}
_RESUMED = {
    True: ("Resumed. What waited leaves now.", "ok"),
    False: ("It was not paused. Nothing changed.", "info"),
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


@blueprint.post("/lanes/<shown_id>/pause")
@signed_in_required
def hold(shown_id: str) -> ResponseReturnValue:
    """What waits or comes stays here until it is resumed."""
    with database().transaction() as session:
        has_changed = pause(
            session, person().account_id, read_id(shown_id) or 0, user_id=person().user_id
        )
    return _answer(has_changed, _PAUSED)


@blueprint.post("/lanes/<shown_id>/resume")
@signed_in_required
def let_go(shown_id: str) -> ResponseReturnValue:
    """It leaves again."""
    with database().transaction() as session:
        has_changed = resume(
            session, person().account_id, read_id(shown_id) or 0, user_id=person().user_id
        )
    return _answer(has_changed, _RESUMED)


def about_waiting() -> dict[str, object]:
    """What the panel shows."""
    with database().reading() as session:
        shown = show_waiting(session, person().account_id, installation().settings)
    return {"lanes": shown, "waiting_version": version_of(shown)}


def _answer(has_changed: bool | None, words: dict[bool, tuple[str, str]]) -> ResponseReturnValue:
    if has_changed is None:
        abort(404, "There is no such mail in this account.")
    flash(*words[has_changed])
    return redirect("/activity/waiting", 303)
