"""The form of the default sender: shown, filled in by a suggestion, saved (R-EDIT, R-SAVE)."""

from collections.abc import Mapping

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.accounts.forms import log_in_form
from kartramail.clock import now
from kartramail.messages.resolution import resolve_sender
from kartramail.rules.address_syntax import Address, read_address
from kartramail.rules.sender_details import FIELDS, JudgedSender
from kartramail.rules.verdict import OK, Status, Verdict
from kartramail.senders.card import last_change, load_card
from kartramail.senders.forms import HELP, SenderForm
from kartramail.senders.judging import judge_mail_server, judge_typed
from kartramail.senders.proof_requests import Asked
from kartramail.senders.saving import Conflict, Saved, SenderDetails, save_gateway_sender
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.resume import resumed_fields, stash

blueprint = Blueprint("edit", __name__)

PATH = "/settings/integrations/kartramail/edit"
_SIGNED_IN_ANEW = (
    "You were signed in anew since this page was opened. What you typed is still here: "
    "press Edit once more to save it."
)
_RESUMED = "Not saved yet: press Edit to save what you typed before you signed in."


@blueprint.get(PATH)
@signed_in_required
def show_form() -> ResponseReturnValue:
    """The form as it is saved, or with what was typed before the session was lost."""
    resumed = resumed_fields(PATH, request.args.get("resume"))
    if not resumed:
        return _page(None)
    form = SenderForm(formdata=None, data=resumed)
    return _page(form, _judge(form).verdicts, notice=_RESUMED)


@blueprint.post(PATH)
@keeps_input
def save() -> ResponseReturnValue:
    """Save what was typed, or show it again with what is wrong; nothing typed is ever lost."""
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    form = SenderForm()
    if _take_suggestion(form):
        return _page(form, _judge(form).verdicts)
    if not form.validate_on_submit():
        notice = _SIGNED_IN_ANEW if has_lost_token(form) else "Look at the form once more."
        form.csrf_token.errors = ()
        return _page(form, _judge(form).verdicts, notice=notice, status=422)
    judged = _judge(form)
    verdicts = dict(judged.verdicts)
    verdicts["reply_to"] = judge_mail_server(installation(), judged)
    send_from = judged.send_from_address
    if send_from is None or any(verdict.is_error for verdict in verdicts.values()):
        return _page(form, verdicts, status=422)
    accepts = bool(form.accept_low_delivery.data)
    details = SenderDetails(judged.name, send_from, judged.reply_to_address, accepts)
    outcome = _save(details, form.read_version)
    if isinstance(outcome, Conflict):
        return _show_conflict(form, verdicts, outcome)
    _say_what_is_true_now(outcome, verdicts["reply_to"])
    return redirect("/settings/integrations", 303)


def _judge(form: SenderForm) -> JudgedSender:
    return judge_typed(installation(), person().account_id, form.typed)


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
    """The sign-in page, which carries what was typed (R-EDIT).

    A form of another site comes without our cookie, and must neither plant its values here nor
    replace the session of somebody who is signed in: it is only sent on.
    """
    if request.headers.get("Sec-Fetch-Site", "same-origin") != "same-origin":
        return redirect(PATH, 303)
    form = SenderForm()
    typed = form.typed | {"version": form.version.data or ""}
    login = log_in_form(resume=stash(PATH, typed))
    return render_template("accounts/log_in.html", form=login), 401


def _show_conflict(
    form: SenderForm, verdicts: Mapping[str, Verdict], conflict: Conflict
) -> ResponseReturnValue:
    """Keep what was typed, show what is there now; the next press saves over it on purpose."""
    with database().reading() as session:
        change = last_change(session, person().account_id)
    form.version.data = str(conflict.gateway.version)
    return _page(form, verdicts, conflict=conflict.gateway, change=change, status=409)


def _say_what_is_true_now(saved: Saved, reply_to: Verdict) -> None:
    if not saved.is_changed:
        flash("Nothing was changed, so everything is as it was.", "info")
        return
    flash(f"Saved. Your sender is {saved.gateway.name} <{saved.gateway.send_from}>.", "success")
    if saved.asked is Asked.TOO_OFTEN:
        flash(
            f"No new link was sent to {saved.gateway.send_from}: several were sent today already. "
            "Use the latest one, or ask for another tomorrow.",
            "warning",
        )
    if saved.asked is Asked.DECLINED:
        flash(
            f"No link was sent to {saved.gateway.send_from}: whoever reads that mailbox said that "
            "this was not them. Use another address.",
            "warning",
        )
    if reply_to.status is Status.UNKNOWN:
        flash(reply_to.message, "warning")


def _page(
    form: SenderForm | None,
    verdicts: Mapping[str, Verdict] | None = None,
    status: int = 200,
    **more: object,
) -> ResponseReturnValue:
    platform_domain = installation().settings.platform_domain
    with database().reading() as session:
        card = load_card(session, person().account_id, platform_domain)
    gateway = card.gateway
    if form is None:
        form = SenderForm(
            formdata=None,
            data={
                "sender_name": gateway.name,
                "send_from": _as_read(gateway.send_from),
                "reply_to": _as_read(gateway.reply_to or ""),
                "version": str(gateway.version),
            },
        )
    verdicts = verdicts or {}
    for name, verdict in verdicts.items():
        form[name].errors = [verdict.message] if verdict.is_error and status == 422 else ()
    return (
        render_template(
            "senders/edit.html",
            form=form,
            verdicts={name: _shown(verdict) for name, verdict in verdicts.items()},
            help=HELP,
            card=card,
            resolution=resolve_sender(card.standing),
            moment=now(),
            **more,
        ),
        status,
    )


def _shown(verdict: Verdict) -> Verdict | None:
    """Nothing where there is nothing to say, so that the help stays."""
    return None if verdict == OK else verdict


def _as_read(text: str) -> str:
    """An address with its domain in its own script, as it was typed."""
    address = read_address(text)
    return address.display if isinstance(address, Address) else text
