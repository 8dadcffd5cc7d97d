"""The account: its name, postal address and time zone, and the history of what was changed."""

from zoneinfo import ZoneInfo

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue

from kartramail.accounts.forms import AccountForm
from kartramail.accounts.history import list_changes
from kartramail.accounts.history_words import describe_change
from kartramail.accounts.service import AccountDetails, load_account, save_account
from kartramail.accounts.views.routes import blueprint
from kartramail.clock import now
from kartramail.errors import EditConflict
from kartramail.web.access import database, owner_required, person, signed_in_required
from kartramail.web.forms import has_lost_token, keeps_input


@blueprint.get("/settings/account")
@signed_in_required
def account() -> ResponseReturnValue:
    """The account's details, for owners as a form, and its history."""
    with database().reading() as session:
        details = load_account(session, person().account_id)
    return _page(_form_of(details), details)


@blueprint.post("/settings/account")
@keeps_input
@owner_required
def save() -> ResponseReturnValue:
    """Save, unless somebody else saved meanwhile: then say so and keep what was typed."""
    form = AccountForm()
    with database().reading() as session:
        before = load_account(session, person().account_id)
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
    return redirect("/settings/account", 303)


def _conflict(form: AccountForm) -> ResponseReturnValue:
    """The form keeps what was typed and now carries the newest version: saving again overwrites."""
    with database().reading() as session:
        newest = load_account(session, person().account_id)
    form.version.data = newest.version
    form.version.raw_data = None
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


def _page(
    form: AccountForm, details: AccountDetails, conflict: AccountDetails | None = None
) -> str:
    with database().reading() as session:
        changes = list_changes(session, person().account_id)
    return render_template(
        "accounts/account.html",
        form=form,
        details=details,
        conflict=conflict,
        changes=[(change, describe_change(change)) for change in changes],
        zone=ZoneInfo(details.time_zone),
        now=now(),
        is_stale=has_lost_token(form),
    )
