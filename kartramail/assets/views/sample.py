"""“Send me a sample”: the words of the editor, from the sender that is used (R-GLOBAL)."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.assets.drafts import Draft, judge_draft
from kartramail.assets.forms import NotificationForm
from kartramail.assets.samples import send_notification_sample
from kartramail.assets.views.editor_page import own_examples, show_editor, show_in_other_account
from kartramail.assets.views.preview import saved_words
from kartramail.assets.views.scope import EVERYWHERE, OF_ONE, Scope, find_scope
from kartramail.assets.views.unsaved import ask_to_sign_in, show_again
from kartramail.clock import now
from kartramail.errors import TemplateError
from kartramail.ids import read_id, show_id
from kartramail.messages.queries import MessageProgress, message_progress
from kartramail.rules.address_syntax import Address, read_address
from kartramail.web.access import database, installation, person
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.fragments import wants_fragment
from kartramail.web.limits import is_too_often
from kartramail.web.opened_in import form_of_other_account

blueprint = Blueprint("sample", __name__)

LOOK = "look"
"""The name of the button that looks again without JavaScript; its value is the message's id."""

_OFTEN = "5 per minute; 30 per day"
_TOO_OFTEN = "You have sent several just now. Wait a minute, then send the next one."
_FAULTY = "No sample was sent: mend what is wrong with the words first."
_STALE = "No sample was sent, as you were signed in anew meanwhile. Save first, or reload the page."
_UNREADABLE = "No sample was sent: the address that you sign in with cannot get mail."


@blueprint.post(f"{EVERYWHERE}/sample")
@blueprint.post(f"{OF_ONE}/sample")
@keeps_input
def send(
    type_name: str, kind_name: str | None = None, shown_id: str | None = None
) -> ResponseReturnValue:
    """Send it, and say where the button is what became of it; the form comes back as it was."""
    if not current_user.is_authenticated:
        return ("", 401) if wants_fragment() else ask_to_sign_in()
    scope = find_scope(type_name, kind_name, shown_id)
    form = NotificationForm()
    if form_of_other_account() is not None:
        return _other_account(scope, form)
    if not form.validate_on_submit():
        is_lost = has_lost_token(form)
        if wants_fragment():
            return _problem(_STALE if is_lost else "Look at the form once more.")
        return show_again(scope, form, "Send me a sample")
    looked_at = read_id(request.form.get(LOOK, ""))
    outcome = looked_at or _send(scope, form)
    if isinstance(outcome, str):
        return _problem(outcome) if wants_fragment() else _page(scope, form, problem=outcome)
    return _follow(scope, form, outcome)


def _send(scope: Scope, form: NotificationForm) -> int | str:
    """The id of the sample, or why none was sent."""
    draft = form.draft if _has_words(scope) else saved_words(scope)
    to = read_address(person().email)
    if not isinstance(to, Address):
        return _UNREADABLE
    if judge_draft(scope.type, draft):
        return _FAULTY
    if is_too_often("sample", _OFTEN):
        return _TOO_OFTEN
    return _enqueue(scope, draft, to)


def _enqueue(scope: Scope, draft: Draft, to: Address) -> int | str:
    try:
        with database().transaction() as session:
            return send_notification_sample(
                session,
                person().account_id,
                scope.asset_id,
                scope.type,
                draft,
                to=to,
                examples=own_examples(scope),
                platform_domain=installation().settings.platform_domain,
            )
    except TemplateError:
        return _FAULTY


def _has_words(scope: Scope) -> bool:
    """Whether words were sent along: a program may only press the button."""
    return scope.may_change_words and "subject" in request.form


def _follow(scope: Scope, form: NotificationForm, message_id: int) -> ResponseReturnValue:
    with database().reading() as session:
        found = message_progress(session, person().account_id, message_id)
    if not wants_fragment():
        look = show_id(found.id) if found and not found.is_final else ""
        return _page(scope, form, progress=found, look=look)
    if found is None:
        return _problem("That message is gone.")
    return render_template(
        "senders/_progress.html", progress=found, follow=_next_look(found), moment=now()
    )


def _next_look(found: MessageProgress) -> str:
    """Where the page goes on looking; it says itself how often."""
    return "" if found.is_final else f"{show_id(found.id)}?looks=1"


def _page(
    scope: Scope,
    form: NotificationForm,
    *,
    progress: MessageProgress | None = None,
    look: str = "",
    problem: str = "",
) -> ResponseReturnValue:
    return show_editor(
        scope,
        form if _has_words(scope) else None,
        progress=progress,
        follow=_next_look(progress) if progress else "",
        look=look,
        problem=problem,
    )


def _other_account(scope: Scope, form: NotificationForm) -> ResponseReturnValue:
    if wants_fragment():
        return render_template("errors/_other_account.html", code=409), 409
    return show_in_other_account(scope, form)


def _problem(words: str) -> ResponseReturnValue:
    return render_template("senders/_too_often.html", sentence=words), 422
