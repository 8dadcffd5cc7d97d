"""The editor of a notification's words and sender, everywhere and for one asset (R-GLOBAL)."""

from typing import Any

from flask import Blueprint, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.adapters.templating import TemplateKind, compile_template
from kartramail.assets.drafts import WORDS, changes_of, judge_draft, rename_variable
from kartramail.assets.editing import Editing
from kartramail.assets.effective import EffectiveSetting
from kartramail.assets.forms import NotificationForm
from kartramail.assets.settings import Conflict, change_setting
from kartramail.assets.views.editor_page import (
    find_low_delivery,
    load,
    show_editor,
    show_in_other_account,
)
from kartramail.assets.views.scope import EVERYWHERE, OF_ONE, Scope, find_scope
from kartramail.assets.views.unsaved import ask_to_sign_in, show_again, show_conflict
from kartramail.errors import InvalidInput, TemplateError
from kartramail.ids import show_id
from kartramail.senders.forms.picker import adding_in_picker
from kartramail.senders.forms.tick import is_accepted
from kartramail.senders.low_delivery import accept_low_delivery
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.forms import keeps_input
from kartramail.web.opened_in import form_of_other_account
from kartramail.web.resume import resumed

blueprint = Blueprint("editor", __name__)

_RESUMED = "Not saved yet: press Save to save what stands here."


@blueprint.get(EVERYWHERE)
@blueprint.get(OF_ONE)
@signed_in_required
def show(
    type_name: str, kind_name: str | None = None, shown_id: str | None = None
) -> ResponseReturnValue:
    """The notification as it is saved, or with what was typed before the session was lost."""
    scope = find_scope(type_name, kind_name, shown_id)
    kept = resumed(scope.path, request.args.get("resume"))
    if kept is None:
        return show_editor(scope, undo=request.args.get("undo", ""))
    form = NotificationForm(formdata=None, data=kept.fields)
    if kept.other is not None:
        return show_in_other_account(scope, form, kept)
    return show_editor(scope, form, notice=_RESUMED)


@blueprint.post(EVERYWHERE)
@blueprint.post(OF_ONE)
@keeps_input
def save(
    type_name: str, kind_name: str | None = None, shown_id: str | None = None
) -> ResponseReturnValue:
    """Save what was typed, or show it again with what is wrong; nothing typed is ever lost."""
    if not current_user.is_authenticated:
        return ask_to_sign_in()
    scope = find_scope(type_name, kind_name, shown_id)
    form = NotificationForm()
    if form_of_other_account() is not None:
        return show_in_other_account(scope, form)
    if _take_suggestion(form):
        return show_editor(scope, form)
    if not form.validate_on_submit():
        return show_again(scope, form, "Save")
    adding = adding_in_picker()
    if adding is not None:
        if adding.chosen_id is not None:
            form.sender_id.data = show_id(adding.chosen_id)
        return show_editor(scope, form, adding=adding)
    name = request.form.get("return")
    return _return(scope, form, name) if name in WORDS else _save_if_sound(scope, form)


def _save_if_sound(scope: Scope, form: NotificationForm) -> ResponseReturnValue:
    editing = load(scope)
    changes = _changes(scope, form, editing)
    if scope.may_change_words and judge_draft(scope.type, form.draft):
        return show_editor(scope, form, editing=editing, status=422)
    sender_id = changes.get("sender_id")
    if sender_id is not None and editing.option(sender_id) is None:
        form.sender_id.data = ""
        notice = "The sender that you chose is gone. Choose another one."
        return show_editor(scope, form, editing=editing, notice=notice, status=422)
    asked = find_low_delivery(editing, sender_id)
    accepts = asked is not None and is_accepted(asked)
    if asked is not None and not accepts:
        form.accept_low_delivery.data = False  # a tick for another sender is none for this one
        return show_editor(scope, form, editing=editing, tick_missing=True, status=422)
    try:
        outcome = _save(scope, changes, form.read_version, accepts=accepts)
    except InvalidInput as error:  # what was true a moment ago is not true any more
        return show_editor(scope, form, notice=str(error), status=422)
    if isinstance(outcome, Conflict):
        return show_conflict(scope, form, outcome)
    _say_what_is_true_now(scope, outcome)
    return redirect(scope.path, 303)


def _changes(scope: Scope, form: NotificationForm, editing: Editing) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if scope.may_change_words:
        changes |= changes_of(form.draft, editing.above)
    if scope.type.may_override_sender:
        changes["sender_id"] = form.chosen_sender
    return changes


def _save(
    scope: Scope, changes: dict[str, Any], version: int | None, *, accepts: bool
) -> EffectiveSetting | Conflict:
    who = person()
    with database().transaction() as session:
        outcome = change_setting(
            session,
            who.account_id,
            scope.asset_id,
            scope.type,
            changes,
            user_id=who.user_id,
            version=version,
        )
        sender_id = changes.get("sender_id")
        if accepts and sender_id is not None and not isinstance(outcome, Conflict):
            accept_low_delivery(session, who.account_id, sender_id, user_id=who.user_id)
    return outcome


def _return(scope: Scope, form: NotificationForm, name: str) -> ResponseReturnValue:
    """Let one part be inherited again, at once; what was typed elsewhere stays, not saved."""
    try:
        outcome = _save(scope, {name: None}, form.read_version, accepts=False)
    except InvalidInput as error:  # without this part nothing would be said at all
        return show_editor(scope, form, notice=str(error), status=422)
    if isinstance(outcome, Conflict):
        return show_conflict(scope, form, outcome)
    editing = load(scope)
    form[name].data = {"subject": outcome.subject, "html": outcome.html, "text": outcome.text}[name]
    form.version.data = str(outcome.version)
    return show_editor(scope, form, editing=editing, returned=form[name].label.text)


def _take_suggestion(form: NotificationForm) -> bool:
    """Put the right name of a variable in the place of a wrong one, without JavaScript."""
    name, _, names = request.form.get("rename", "").partition(":")
    wrong, _, right = names.partition(":")
    if name not in WORDS or not wrong or not right:
        return False
    source = form.draft.words[name]
    try:
        compile_template(source, TemplateKind(name))  # before anything else walks through it
    except TemplateError:
        return False
    form[name].data = rename_variable(source, wrong, right)
    return True


def _say_what_is_true_now(scope: Scope, setting: EffectiveSetting) -> None:
    title = scope.type.title
    where = f" of {scope.asset_name}" if scope.asset_name else ""
    if setting.inherited.issuperset(WORDS):
        words = "says what it says everywhere" if scope.named else "has our words"
    else:
        words = "has words of its own" if scope.named else "has your words"
    off = "" if setting.enabled else " It is switched off, so nobody gets it."
    flash(f"Saved. {title}{where} {words}.{off}", "success")
