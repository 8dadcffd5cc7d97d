"""The page of the editor: a notification as it is saved, or with all that was typed (R-GLOBAL)."""

from collections.abc import Mapping
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from kartramail.assets.drafts import WORDS, Draft, EditorFault, judge_draft
from kartramail.assets.editing import Editing, load_editing
from kartramail.assets.forms import HELP, NotificationForm
from kartramail.assets.previews import Preview, examples_for, render_preview, render_subject
from kartramail.assets.snippets import snippets_of
from kartramail.assets.views.scope import Scope
from kartramail.assets.views.shown import concern_of
from kartramail.clock import now
from kartramail.errors import TemplateError
from kartramail.ids import show_id
from kartramail.senders.impact import MOST_COUNTED
from kartramail.senders.low_delivery import LowDelivery
from kartramail.web.access import database, installation, person
from kartramail.web.opened_in import form_of_other_account
from kartramail.web.resume import Resumed, stash

Faults = Mapping[str, list[EditorFault]]


def load(scope: Scope) -> Editing:
    """All that the page is made of."""
    platform_domain = installation().settings.platform_domain
    with database().reading() as session:
        return load_editing(
            session, person().account_id, scope.asset_id, scope.type, platform_domain
        )


def show_editor(
    scope: Scope,
    form: NotificationForm | None = None,
    *,
    editing: Editing | None = None,
    status: int = 200,
    tick_missing: bool = False,
    **more: object,
) -> ResponseReturnValue:
    """The page with what is saved, or with `form` and what is wrong with it.

    `more` is for the template: `notice`, `conflict`, `other_account`, `progress`, `adding` …
    """
    editing = editing or load(scope)
    saved = Draft.of(editing.setting)
    form = form or NotificationForm(formdata=None, data=_of_saved(editing))
    draft = form.draft if scope.may_change_words else saved
    faults = judge_draft(scope.type, draft) if draft != saved else {}
    low_delivery = find_low_delivery(editing, form.chosen_sender)
    for name in WORDS:
        form[name].errors = [found[0].fault.message] if (found := faults.get(name)) else ()
    form.accept_low_delivery.errors = (
        [low_delivery.refusal.message] if tick_missing and low_delivery else ()
    )
    page = render_template(
        "notifications/editor.html",
        scope=scope,
        form=form,
        editing=editing,
        faults=faults,
        help=HELP,
        snippets=snippets_of(scope.type, own_examples(scope)),
        low_delivery=low_delivery,
        most_counted=MOST_COUNTED,
        moment=now(),
        is_typed=draft != saved,
        **who_and_what(scope, editing, form.chosen_sender, draft),
        **more,
    )
    return page, status


def who_and_what(
    scope: Scope, editing: Editing, sender_id: int | None, draft: Draft
) -> dict[str, Any]:
    """The row in an inbox as it would be: `resolution`, `subject` and `glance`.

    `concern`: what is missing of the domain of the sender that is chosen here.
    """
    examples = own_examples(scope)
    try:
        preview = render_preview(draft, examples)
    except TemplateError:
        preview = Preview(render_subject(draft.subject, examples), None, None, "…")
    option = editing.option(sender_id)
    return {
        "concern": concern_of(option) if option else None,
        "resolution": editing.resolution(sender_id),
        "inherited": editing.resolution(None),
        "subject": preview.subject or "…",
        "glance": preview.glance or "…",
    }


def own_examples(scope: Scope) -> dict[str, Any]:
    """Example variables with the names that are the account's own."""
    return examples_for(
        scope.type, business_name=person().business_name, asset_name=scope.asset_name
    )


def show_in_other_account(
    scope: Scope, form: NotificationForm, kept: Resumed | None = None
) -> ResponseReturnValue:
    """What was typed in another account than this one: kept, and not saved (R-SAVE).

    The next press would save it here on purpose, so the form takes this account's version; a sender
    of that account is none of this one.
    """
    resume = stash(scope.path, form.kept, opened_in=kept.opened_in if kept else None)
    editing = load(scope)
    form.version.data = str(editing.setting.version)
    if editing.option(form.chosen_sender) is None:
        form.sender_id.data = ""
    return show_editor(
        scope,
        form,
        editing=editing,
        status=200 if kept else 409,
        other_account=kept.other if kept else form_of_other_account(),
        resume=resume,
    )


def find_low_delivery(editing: Editing, sender_id: int | None) -> LowDelivery | None:
    """What the tick is about, where choosing this sender asks for it (R-LOWDELIV)."""
    option = editing.option(sender_id)
    if option is None or not option.needs_tick or sender_id == editing.setting.sender_id:
        return None
    return LowDelivery(option.standing.domain)


def _of_saved(editing: Editing) -> dict[str, str]:
    chosen = editing.setting.sender_id
    return Draft.of(editing.setting).words | {
        "sender_id": show_id(chosen) if chosen is not None else "",
        "version": str(editing.setting.version),
    }
