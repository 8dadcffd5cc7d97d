"""What one asset sends: switched on and off, in its own words or the inherited ones (R-ASSET)."""

from flask import Blueprint, abort, request
from flask.typing import ResponseReturnValue

from kartramail.assets.settings import Conflict, judge_changes, load_setting
from kartramail.assets.views.changing import asked_for, change, tell
from kartramail.assets.views.notification_page import show_news, show_page
from kartramail.assets.views.paths import ONE, named, path_of
from kartramail.assets.views.said import Said, take_said
from kartramail.web.access import database, person, signed_in_required

blueprint = Blueprint("settings", __name__)

_WORDS = ("subject", "html", "text")
_CONFLICT = (
    "Not changed: somebody else changed it after you opened this page. This is what holds now."
)


@blueprint.get(ONE)
@signed_in_required
def page(kind_name: str, shown_id: str) -> ResponseReturnValue:
    """Every notification of the asset, and what has just been changed of one."""
    asset = named(kind_name, shown_id)
    said = take_said(path_of(asset.asset))
    return show_page(asset, row={"type": said.type, "said": said} if said else None)


@blueprint.post(f"{ONE}/<type_name>/switch")
@signed_in_required
def switch(kind_name: str, shown_id: str, type_name: str) -> ResponseReturnValue:
    """On or off for this asset; what holds everywhere is not written down once more."""
    asset, one = asked_for(kind_name, shown_id, type_name)
    wanted = request.form.get("enabled")
    if wanted not in ("on", "off"):
        abort(400)
    is_on = wanted == "on"
    with database().transaction() as session:
        everywhere = load_setting(session, person().account_id, None, one).enabled
        change(session, asset, one, {"enabled": None if is_on == everywhere else is_on})
    words = f"On: {one.title.lower()} is sent." if is_on else "Off: it is not sent."
    return tell(asset, one, "switch", words, {"enabled": "off" if is_on else "on"})


@blueprint.post(f"{ONE}/<type_name>/text")
@signed_in_required
def return_text(kind_name: str, shown_id: str, type_name: str) -> ResponseReturnValue:
    """Return to the inherited words, or back to the words that are sent along."""
    asset, one = asked_for(kind_name, shown_id, type_name)
    changes = {name: request.form.get(name) for name in _WORDS}
    if judge_changes(one, changes):
        abort(400)  # only our own button sends them, and it sends what was saved before
    with database().transaction() as session:
        before = load_setting(session, person().account_id, asset.asset.id, one)
        after = change(session, asset, one, changes, version=_version())
    if isinstance(after, Conflict):
        return show_news(asset, one, status=409, said=Said(one.name, _CONFLICT, kind="warning"))
    is_back = any(value is not None for value in changes.values())
    words = "It has its own text again." if is_back else "It has the inherited text again."
    undo = {n: getattr(before, n) or "" for n in _WORDS if n not in before.inherited}
    return tell(asset, one, "text", words, {"version": str(after.version)} | undo)


def _version() -> int | None:
    typed = request.form.get("version", "")
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else None
