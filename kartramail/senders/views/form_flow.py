"""What a press does to the sender form, wherever it stands: shown, suggested, saved (R-EDIT)."""

from collections.abc import Mapping

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.accounts.forms import log_in_form
from kartramail.rules.sender_details import FIELDS
from kartramail.rules.verdict import Verdict
from kartramail.senders.card import last_change
from kartramail.senders.forms import SenderForm
from kartramail.senders.forms.doubts import ask_about_doubts
from kartramail.senders.further import TooMany
from kartramail.senders.saving import Conflict, SenderDetails
from kartramail.senders.submission import judge_submission
from kartramail.senders.views import beside
from kartramail.senders.views.edit_page import judge, show_edit_page, show_in_other_account
from kartramail.senders.views.places import Outcome, Place
from kartramail.senders.views.saved import say_what_is_true_now
from kartramail.web.access import database, installation, person
from kartramail.web.forms import has_lost_token
from kartramail.web.opened_in import form_of_other_account
from kartramail.web.resume import is_sent_from_here, resumed, stash

_SIGNED_IN_ANEW = (
    "You were signed in anew since this page was opened. What you typed is still here: "
    "press {} once more to save it."
)
_RESUMED = "Not saved yet: press {} to save what you typed before you signed in."


def show_form(place: Place) -> ResponseReturnValue:
    """The form as it is saved, or with what was typed before the session was lost."""
    kept = resumed(place.path, request.args.get("resume"))
    if kept is None:
        return show_edit_page(place)
    form = SenderForm(formdata=None, data=kept.fields)
    if kept.other is not None:
        return show_in_other_account(place, form, kept)
    return show_edit_page(place, form, judge(form).verdicts, notice=_RESUMED.format(place.button))


def save_form(place: Place) -> ResponseReturnValue:
    """Save what was typed, or show it again with what is wrong; nothing typed is ever lost."""
    if not current_user.is_authenticated:
        return _ask_to_sign_in(place)
    form = SenderForm()
    if form_of_other_account() is not None:
        return show_in_other_account(place, form)
    if _take_suggestion(form):
        return show_edit_page(place, form, judge(form).verdicts)
    if not form.validate_on_submit():
        is_lost = has_lost_token(form)
        notice = _SIGNED_IN_ANEW.format(place.button) if is_lost else "Look at the form once more."
        form.csrf_token.errors = ()
        return show_edit_page(place, form, judge(form).verdicts, notice=notice, status=422)
    button = beside.pressed()
    return _save_if_sound(place, form) if button is None else beside.press(place, form, button)


def _save_if_sound(place: Place, form: SenderForm) -> ResponseReturnValue:
    with database().reading() as session:
        card = place.load(session)
    submission = judge_submission(
        installation(),
        person().account_id,
        form.typed,
        accepts_low_delivery=form.accepts_low_delivery,
        sender_id=card.sender.sender_id if card else None,
        ask=lambda verdicts: ask_about_doubts(form, verdicts, place.button),
    )
    if submission.details is None:
        tick = submission.missing_tick.refusal if submission.missing_tick else None
        return show_edit_page(place, form, submission.verdicts, status=422, tick=tick)
    outcome = _save(place, submission.details, form.read_version)
    if isinstance(outcome, Conflict):
        return _show_conflict(place, form, submission.verdicts, outcome)
    if isinstance(outcome, TooMany):
        return show_edit_page(place, form, submission.verdicts, notice=outcome.words, status=422)
    say_what_is_true_now(outcome, submission.verdicts["reply_to"])
    return redirect(place.after, 303)


def _save(place: Place, details: SenderDetails, version: int | None) -> Outcome:
    with database().transaction() as session:
        return place.save(session, details, version)


def _take_suggestion(form: SenderForm) -> bool:
    """Put a suggestion that was pressed without JavaScript into its field; saves nothing."""
    for name in FIELDS:
        suggested = request.form.get(f"use_{name}")
        if suggested is not None:
            form[name].data = suggested
            return True
    return False


def _ask_to_sign_in(place: Place) -> ResponseReturnValue:
    """The sign-in page, which carries what was typed (R-EDIT)."""
    if not is_sent_from_here():
        return redirect(place.path, 303)
    login = log_in_form(next_path=place.path, resume=stash(place.path, SenderForm().kept))
    return render_template("accounts/log_in.html", form=login), 401


def _show_conflict(
    place: Place, form: SenderForm, verdicts: Mapping[str, Verdict], conflict: Conflict
) -> ResponseReturnValue:
    """Keep what was typed, show what is there now; the next press saves over it on purpose."""
    with database().reading() as session:
        change = last_change(session, person().account_id, conflict.sender)
    form.version.data = str(conflict.sender.version)
    return show_edit_page(
        place, form, verdicts, conflict=conflict.sender, change=change, status=409
    )
