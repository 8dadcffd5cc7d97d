"""The form of the default sender: shown, filled in by a suggestion, saved (R-EDIT, R-SAVE)."""

from collections.abc import Mapping

from flask import Blueprint, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.accounts.forms import log_in_form
from kartramail.rules.sender_details import FIELDS
from kartramail.rules.verdict import Verdict
from kartramail.senders.card import last_change
from kartramail.senders.forms import SenderForm
from kartramail.senders.judging import judge_mail_server
from kartramail.senders.saving import Conflict, Saved, SenderDetails, save_gateway_sender
from kartramail.senders.views import beside
from kartramail.senders.views.doubts import ask_about_doubts
from kartramail.senders.views.edit_page import (
    PATH,
    find_low_delivery,
    judge,
    show_edit_page,
    show_in_other_account,
)
from kartramail.senders.views.saved import say_what_is_true_now
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.opened_in import form_of_other_account
from kartramail.web.resume import is_sent_from_here, resumed, stash

blueprint = Blueprint("edit", __name__)

_SIGNED_IN_ANEW = (
    "You were signed in anew since this page was opened. What you typed is still here: "
    "press Edit once more to save it."
)
_RESUMED = "Not saved yet: press Edit to save what you typed before you signed in."


@blueprint.get(PATH)
@signed_in_required
def show_form() -> ResponseReturnValue:
    """The form as it is saved, or with what was typed before the session was lost."""
    kept = resumed(PATH, request.args.get("resume"))
    if kept is None:
        return show_edit_page()
    form = SenderForm(formdata=None, data=kept.fields)
    if kept.other is not None:
        return show_in_other_account(form, kept)
    return show_edit_page(form, judge(form).verdicts, notice=_RESUMED)


@blueprint.post(PATH)
@keeps_input
def save() -> ResponseReturnValue:
    """Save what was typed, or show it again with what is wrong; nothing typed is ever lost."""
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    form = SenderForm()
    if form_of_other_account() is not None:
        return show_in_other_account(form)
    if _take_suggestion(form):
        return show_edit_page(form, judge(form).verdicts)
    if not form.validate_on_submit():
        notice = _SIGNED_IN_ANEW if has_lost_token(form) else "Look at the form once more."
        form.csrf_token.errors = ()
        return show_edit_page(form, judge(form).verdicts, notice=notice, status=422)
    button = beside.pressed()
    return _save_if_sound(form) if button is None else beside.press(form, button)


def _save_if_sound(form: SenderForm) -> ResponseReturnValue:
    judged = judge(form)
    verdicts = ask_about_doubts(form, judged.verdicts)
    if not any(verdict.is_error for verdict in verdicts.values()):
        verdicts["reply_to"] = judge_mail_server(installation(), judged)
    send_from = judged.send_from_address
    if send_from is None or any(verdict.is_error for verdict in verdicts.values()):
        return show_edit_page(form, verdicts, status=422)
    accepts = bool(form.accept_low_delivery.data)
    if not accepts and (asked := find_low_delivery(send_from)):
        return show_edit_page(form, verdicts, status=422, tick=asked.refusal)
    details = SenderDetails(judged.name, send_from, judged.reply_to_address, accepts)
    outcome = _save(details, form.read_version)
    if isinstance(outcome, Conflict):
        return _show_conflict(form, verdicts, outcome)
    say_what_is_true_now(outcome, verdicts["reply_to"])
    return redirect("/settings/integrations", 303)


def _take_suggestion(form: SenderForm) -> bool:
    """Put a suggestion that was pressed without JavaScript into its field; saves nothing."""
    for name in FIELDS:
        suggested = request.form.get(f"use_{name}")
        if suggested is not None:
            form[name].data = suggested
            return True
    return False


def _save(details: SenderDetails, version: int | None) -> Saved | Conflict:
    settings = installation().settings
    with database().transaction() as session:
        return save_gateway_sender(
            session,
            person().account_id,
            details,
            version=version,
            user_id=person().user_id,
            platform_domain=settings.platform_domain,
            base_url=settings.base_url,
        )


def _ask_to_sign_in() -> ResponseReturnValue:
    """The sign-in page, which carries what was typed (R-EDIT)."""
    if not is_sent_from_here():
        return redirect(PATH, 303)
    login = log_in_form(next_path=PATH, resume=stash(PATH, SenderForm().kept))
    return render_template("accounts/log_in.html", form=login), 401


def _show_conflict(
    form: SenderForm, verdicts: Mapping[str, Verdict], conflict: Conflict
) -> ResponseReturnValue:
    """Keep what was typed, show what is there now; the next press saves over it on purpose."""
    with database().reading() as session:
        change = last_change(session, person().account_id)
    form.version.data = str(conflict.gateway.version)
    return show_edit_page(form, verdicts, conflict=conflict.gateway, change=change, status=409)
