"""The part of a sender picker in which a sender is added, without losing the page around it.

Its fields stand among those of the form that the picker belongs to, under names of their own. With
JavaScript its buttons ask `senders.views.picker` for a fragment; without, they send that form, and
its view asks here first, once its form is found to be really from the page:

    adding = adding_in_picker()
    if adding is not None:
        return show_page(form, chosen_id=adding.chosen_id or …, adding=adding)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flask import request
from flask_wtf.csrf import validate_csrf
from wtforms import ValidationError

from kartramail.rules.address_syntax import Address, read_address
from kartramail.rules.sender_details import FIELDS
from kartramail.rules.verdict import OK, Verdict
from kartramail.senders.forms import HELP, SenderForm
from kartramail.senders.forms.doubts import ask_about_doubts
from kartramail.senders.forms.saved_words import words_on_saved
from kartramail.senders.further import TooMany, add_sender
from kartramail.senders.judging import judge_typed
from kartramail.senders.low_delivery import LowDelivery, low_delivery_of
from kartramail.senders.saving import SenderDetails
from kartramail.senders.submission import judge_submission
from kartramail.web.access import database, installation, person
from kartramail.web.opened_in import form_of_other_account

BUTTON = "add_sender"
"""The name of the buttons; the value says what to do, a colon, and the picker's field."""

PREFIX = "new_sender-"
SAVE_WORDS = "Add and choose"

_OPEN, _SAVE, _CLOSE = "open", "save", "close"
_OLD_PAGE = f"You were signed in anew since this page was opened: press {SAVE_WORDS} once more."
_OTHER_ACCOUNT = "This page was opened in another account, so the sender was not added."


@dataclass(frozen=True, slots=True)
class Adding:
    """How far it is. `picker` is the name of the field that the picker fills.

    `form` is None while the part is closed. `notice` says why nothing was added. `chosen_id` is the
    sender that was added just now, and `told` what is true of it, as sentences with their kind.
    """

    picker: str
    form: SenderForm | None = None
    verdicts: Mapping[str, Verdict | None] = field(default_factory=dict)
    low_delivery: LowDelivery | None = None
    notice: str = ""
    chosen_id: int | None = None
    told: Sequence[tuple[str, str]] = ()
    help = HELP


def adding_in_picker() -> Adding | None:
    """Do what was pressed in a picker of the form that was sent; None where nothing was."""
    suggested = _take_suggestion()
    what, _, picker = request.form.get(BUTTON, "").partition(":")
    if suggested is not None:
        picker = request.form.get(f"{PREFIX}picker", "")
    if not picker.isidentifier():
        return None  # no name of a field of ours
    if suggested is not None:
        return _show(picker, suggested, _judge(suggested))
    if what == _OPEN:
        return Adding(picker, SenderForm(formdata=None, prefix=PREFIX))
    if what == _SAVE:
        return _save(picker, _sent_form())
    return Adding(picker) if what == _CLOSE else None


def _sent_form() -> SenderForm:
    return SenderForm(formdata=request.form, prefix=PREFIX, meta={"csrf": False})


def _take_suggestion() -> SenderForm | None:
    """The form with a suggestion that was pressed without JavaScript; saves nothing."""
    for name in FIELDS:
        suggested = request.form.get(f"use_{PREFIX}{name}")
        if suggested is not None:
            form = _sent_form()
            form[name].data = suggested
            return form
    return None


def _save(picker: str, form: SenderForm) -> Adding:
    notice = _why_not()
    if notice:
        return _show(picker, form, _judge(form), notice=notice)
    submission = judge_submission(
        installation(),
        person().account_id,
        form.typed,
        accepts_low_delivery=form.accepts_low_delivery,
        sender_id=None,
        ask=lambda verdicts: ask_about_doubts(form, verdicts, SAVE_WORDS),
    )
    if submission.details is None:
        tick = submission.missing_tick.refusal if submission.missing_tick else None
        form.show_faults(submission.verdicts, tick)
        return _show(picker, form, submission.verdicts)
    return _add(picker, form, submission.details)


def _why_not() -> str:
    """Why nothing may be changed by this request; empty where it may."""
    try:
        validate_csrf(request.form.get("csrf_token"))
    except ValidationError:
        return _OLD_PAGE
    return _OTHER_ACCOUNT if form_of_other_account() else ""


def _add(picker: str, form: SenderForm, details: SenderDetails) -> Adding:
    settings, who = installation().settings, person()
    with database().transaction() as session:
        outcome = add_sender(
            session,
            who.account_id,
            details,
            user_id=who.user_id,
            platform_domain=settings.platform_domain,
            base_url=settings.base_url,
        )
    if isinstance(outcome, TooMany):
        return _show(picker, form, _judge(form), notice=outcome.words)
    with database().reading() as session:
        told = words_on_saved(session, outcome, settings.platform_domain)
    return Adding(picker, chosen_id=outcome.sender.sender_id, told=told)


def _judge(form: SenderForm) -> Mapping[str, Verdict]:
    return judge_typed(installation(), person().account_id, form.typed).verdicts


def _show(
    picker: str, form: SenderForm, verdicts: Mapping[str, Verdict], *, notice: str = ""
) -> Adding:
    """The fields with what was typed and what the rules say of it."""
    shown = {name: None if verdict == OK else verdict for name, verdict in verdicts.items()}
    return Adding(picker, form, shown, _low_delivery(form), notice)


def _low_delivery(form: SenderForm) -> LowDelivery | None:
    address = read_address(form.send_from.data or "")
    if not isinstance(address, Address):
        return None
    with database().reading() as session:
        platform_domain = installation().settings.platform_domain
        return low_delivery_of(session, person().account_id, address, platform_domain)
