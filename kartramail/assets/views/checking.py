"""The editor as one types: what is wrong with one field (R-LIVE, R-VARS)."""

from flask import Blueprint, abort, get_template_attribute, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.assets.drafts import WORDS, Draft, judge_draft
from kartramail.assets.forms import HELP
from kartramail.assets.views.scope import EVERYWHERE, OF_ONE, find_scope
from kartramail.web.forms import keeps_input
from kartramail.web.limits import by_person, limiter

blueprint = Blueprint("checking", __name__)

_TYPING = "typing"  # what the page says of a field that one is still in


@blueprint.post(f"{EVERYWHERE}/check/<field>")
@blueprint.post(f"{OF_ONE}/check/<field>")
@keeps_input  # it changes nothing; a page whose session was renewed goes on being checked
@limiter.limit("240 per minute", key_func=by_person)
def check_field(
    field: str, type_name: str, kind_name: str | None = None, shown_id: str | None = None
) -> ResponseReturnValue:
    """The field's message. Code that one is still typing is not called broken."""
    if not current_user.is_authenticated:
        return "", 401  # the page says so itself, and keeps what was typed into it
    scope = find_scope(type_name, kind_name, shown_id)
    if field not in WORDS:
        abort(404)
    draft = Draft.typed(request.form)
    found = judge_draft(scope.type, draft).get(field, [])
    if request.headers.get("X-Field-Moment") == _TYPING and _is_open(draft.words[field]):
        found = [each for each in found if each.fault.code == "unknown_variable"]
    render = get_template_attribute("notifications/_field.html", "faults_of")
    return str(render(field, found, HELP[field]))


def _is_open(source: str) -> bool:
    """Whether code was begun and not ended yet."""
    return any(
        source.rfind(opening) > source.rfind(closing)
        for opening, closing in (("{{", "}}"), ("{%", "%}"))
    )
