"""The words of a notification back to ours, or to those that hold everywhere (R-GLOBAL)."""

from urllib.parse import urlencode

from flask import Blueprint, flash, redirect
from flask.typing import ResponseReturnValue

from kartramail.assets.drafts import WORDS, Draft
from kartramail.assets.settings import change_setting, load_setting
from kartramail.assets.views.scope import EVERYWHERE, OF_ONE, find_scope
from kartramail.ids import show_id
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.resume import stash

blueprint = Blueprint("resetting", __name__)


@blueprint.post(f"{EVERYWHERE}/reset")
@blueprint.post(f"{OF_ONE}/reset")
@signed_in_required
def reset(
    type_name: str, kind_name: str | None = None, shown_id: str | None = None
) -> ResponseReturnValue:
    """Let all words be inherited again. The page that follows can show the old ones once more."""
    scope, who = find_scope(type_name, kind_name, shown_id), person()
    with database().transaction() as session:
        before = load_setting(session, who.account_id, scope.asset_id, scope.type)
        change_setting(
            session,
            who.account_id,
            scope.asset_id,
            scope.type,
            dict.fromkeys(WORDS),
            user_id=who.user_id,
        )
    flash(_WORDS[scope.named is None], "success")
    if before.inherited.issuperset(WORDS):
        return redirect(scope.path, 303)
    sender = "" if before.sender_id is None else show_id(before.sender_id)
    undo = stash(scope.path, Draft.of(before).words | {"sender_id": sender})
    return redirect(f"{scope.path}?{urlencode({'undo': undo})}" if undo else scope.path, 303)


_WORDS = {
    True: "It says what we wrote for it again.",
    False: "It says again what it says everywhere.",
}
