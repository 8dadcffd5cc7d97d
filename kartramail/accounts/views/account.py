"""The account: its name, postal address and time zone, and the history of what was changed."""

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.accounts.forms import AccountForm, log_in_form
from kartramail.accounts.history import list_changes
from kartramail.accounts.history_words import describe_change
from kartramail.accounts.service import AccountDetails, load_account, save_account
from kartramail.accounts.views.routes import blueprint
from kartramail.clock import now
from kartramail.errors import EditConflict
from kartramail.web.access import database, person, refuse_members, signed_in_required
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.opened_in import OtherAccount, form_of_other_account
from kartramail.web.resume import Resumed, is_sent_from_here, resumed, stash

PATH = "/settings/account"
_RESUMED = "Not saved yet: press Save to save what you typed before you signed in."


@blueprint.get(PATH)
@signed_in_required
def account() -> ResponseReturnValue:
    """The account's details, for owners as a form, and its history.

    With what was typed before the session was lost, where that is so.
    """
    details = _load()
    kept = resumed(PATH, request.args.get("resume"))
    if kept is None:
        return _page(_form_of(details), details)
    form = AccountForm(formdata=None, data=kept.fields | {"version": _number(kept)})
    if kept.other is not None:
        return _show_in_other_account(form, kept.other, opened_in=kept.opened_in), 200
    return _page(form, details, notice=_RESUMED)


@blueprint.post(PATH)
@keeps_input
def save() -> ResponseReturnValue:
    """Save, unless somebody else saved meanwhile: then say so and keep what was typed."""
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    form = AccountForm()
    other = form_of_other_account()
    if other is not None:
        return _show_in_other_account(form, other), 409
    refuse_members()
    before = _load()
    if not form.validate_on_submit():
        return _page(form, before), 422
    wanted = AccountDetails(
        business_name=form.business_name.data,
        postal_address=form.postal_address.data,
        time_zone=form.time_zone.data,
        version=before.version if form.version.data is None else form.version.data,
    )
    try:
        with database().transaction() as session:
            save_account(session, person().account_id, wanted, user_id=person().user_id)
    except EditConflict:
        return _conflict(form)
    flash("Your account is saved.", "ok")
    return redirect(PATH, 303)


def _load() -> AccountDetails:
    with database().reading() as session:
        return load_account(session, person().account_id)


def _ask_to_sign_in() -> ResponseReturnValue:
    """The sign-in page, which carries what was typed (R-EDIT)."""
    if not is_sent_from_here():
        return redirect(PATH, 303)
    login = log_in_form(next_path=PATH, resume=stash(PATH, _typed(AccountForm())))
    return render_template("accounts/log_in.html", form=login), 401


def _show_in_other_account(
    form: AccountForm, other: OtherAccount, *, opened_in: str | None = None
) -> str:
    """What was typed in another account than this one: kept, and not saved (R-SAVE).

    The next press would save it here on purpose, so the form takes this account's version.
    """
    resume = stash(PATH, _typed(form), opened_in=opened_in)
    details = _load()
    _set_version(form, details)
    return _page(form, details, other_account=other, resume=resume)


def _typed(form: AccountForm) -> dict[str, str]:
    names = ("business_name", "postal_address", "time_zone", "version")
    return {name: str(form[name].data or "") for name in names}


def _number(kept: Resumed) -> int | None:
    text = kept.fields.get("version", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def _set_version(form: AccountForm, details: AccountDetails) -> None:
    form.version.data = details.version
    form.version.raw_data = None


def _conflict(form: AccountForm) -> ResponseReturnValue:
    """The form keeps what was typed and now carries the newest version: saving again overwrites."""
    newest = _load()
    _set_version(form, newest)
    return _page(form, newest, conflict=newest), 409


def _form_of(details: AccountDetails) -> AccountForm:
    return AccountForm(
        formdata=None,
        data={
            "business_name": details.business_name,
            "postal_address": details.postal_address,
            "time_zone": details.time_zone,
            "version": details.version,
        },
    )


def _page(form: AccountForm, details: AccountDetails, **more: object) -> str:
    with database().reading() as session:
        changes = list_changes(session, person().account_id)
    return render_template(
        "accounts/account.html",
        form=form,
        details=details,
        changes=[(change, describe_change(change)) for change in changes],
        now=now(),
        is_stale=has_lost_token(form),
        **more,
    )
