"""A notification as it will look: the mail in a frame of its own, and the row in an inbox.

The frame follows the form by being its target: what was typed is sent, filled in and shown, and
kept nowhere. Mail in it runs no script, sends no form, follows no link and loads nothing but
pictures.
"""

from itertools import chain

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup, escape

from kartramail.assets.drafts import Draft, judge_draft
from kartramail.assets.forms import NotificationForm
from kartramail.assets.previews import render_preview
from kartramail.assets.settings import load_setting
from kartramail.assets.views.editor_page import find_low_delivery, load, own_examples, who_and_what
from kartramail.assets.views.scope import EVERYWHERE, OF_ONE, Scope, find_scope
from kartramail.errors import TemplateError
from kartramail.web.access import database, person
from kartramail.web.forms import keeps_input
from kartramail.web.fragments import wants_fragment
from kartramail.web.limits import by_person, limiter
from kartramail.web.resume import is_sent_from_here

blueprint = Blueprint("preview", __name__)

POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src https: data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# A link that is pressed would open a window, which this sandbox does not let it.
_BEFORE = Markup('<!doctype html><meta charset="utf-8"><base target="_blank">')
_PLAIN = Markup(
    "<style>body { margin: 24px; font: 15px/24px system-ui, sans-serif; white-space: pre-wrap; "
    "overflow-wrap: anywhere; color-scheme: light dark } p { max-width: 40rem }</style>"
)


@blueprint.get(f"{EVERYWHERE}/preview")
@blueprint.get(f"{OF_ONE}/preview")
def show(
    type_name: str, kind_name: str | None = None, shown_id: str | None = None
) -> ResponseReturnValue:
    """The mail as it is saved."""
    if not current_user.is_authenticated:
        return _signed_out()
    scope = find_scope(type_name, kind_name, shown_id)
    return _in_frame(scope, saved_words(scope), is_asked=True)


@blueprint.post(f"{EVERYWHERE}/preview")
@blueprint.post(f"{OF_ONE}/preview")
@keeps_input  # it changes nothing; a page whose session was renewed goes on being followed
@limiter.limit("240 per minute", key_func=by_person)
def follow(
    type_name: str, kind_name: str | None = None, shown_id: str | None = None
) -> ResponseReturnValue:
    """The mail as it is typed; for HTMX what stands around it: the row in an inbox, and who."""
    if not current_user.is_authenticated or not is_sent_from_here():
        return _signed_out()
    scope = find_scope(type_name, kind_name, shown_id)
    draft = Draft.typed(request.form) if scope.may_change_words else saved_words(scope)
    if wants_fragment():
        return _around(scope, draft)
    return _in_frame(scope, draft, is_asked="follow" not in request.args)


def _around(scope: Scope, draft: Draft) -> str:
    editing = load(scope)
    form = NotificationForm()
    is_about_sender = request.args.get("part") == "sender"
    return render_template(
        "notifications/_chosen.html" if is_about_sender else "notifications/_around.html",
        tick=NotificationForm(formdata=None).accept_low_delivery,  # each sender asks anew
        low_delivery=find_low_delivery(editing, form.chosen_sender),
        **who_and_what(scope, editing, form.chosen_sender, draft),
    )


def saved_words(scope: Scope) -> Draft:
    """The words that hold there now."""
    with database().reading() as session:
        return Draft.of(load_setting(session, person().account_id, scope.asset_id, scope.type))


def _in_frame(scope: Scope, draft: Draft, *, is_asked: bool) -> Response:
    """The mail; while it cannot be shown, what stands in the frame stays if nobody asked."""
    try:
        preview = render_preview(draft, own_examples(scope))
    except TemplateError:
        return _framed(_PLAIN + _faults(scope, draft)) if is_asked else Response(status=204)
    if preview.html is None:
        return _framed(_PLAIN + escape(preview.text or ""))
    return _framed(Markup(preview.html))  # noqa: S704 - sanitised, and under a policy of its own


def _faults(scope: Scope, draft: Draft) -> Markup:
    found = chain.from_iterable(judge_draft(scope.type, draft).values())
    words = [each.fault.message for each in found][:5]
    lines = Markup("").join(Markup("<p>{}</p>").format(each) for each in words)
    return Markup("<p>There is no preview until this is mended:</p>") + lines


def _signed_out() -> tuple[Response, int]:
    words = escape("You are signed out. Sign in again in another tab; what you typed stays here.")
    return _framed(_PLAIN + words), 401


def _framed(html: Markup) -> Response:
    response = Response(_BEFORE + html)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
