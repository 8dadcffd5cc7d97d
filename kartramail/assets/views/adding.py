"""A new form, calendar or product: what it is, and its name."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.accounts.forms import log_in_form
from kartramail.assets.kinds import KINDS
from kartramail.assets.notification_types import Kind
from kartramail.assets.service import create_asset
from kartramail.assets.views.naming import AssetForm
from kartramail.assets.views.paths import LIST, path_of
from kartramail.errors import InvalidInput
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.limits import by_person, limiter
from kartramail.web.opened_in import form_of_other_account
from kartramail.web.resume import is_sent_from_here, resumed, stash

blueprint = Blueprint("adding", __name__)

PATH = f"{LIST}/new"
_RESUMED = "Not added yet: press Add it to add what you typed before you signed in."


@blueprint.get(PATH)
@signed_in_required
def show_form() -> ResponseReturnValue:
    """The kinds to choose from, and a field for the name."""
    kept = resumed(PATH, request.args.get("resume"))
    if kept is None:
        return _page(AssetForm(formdata=None, data={"kind": request.args.get("kind")}))
    form = AssetForm(formdata=None, data=kept.fields)
    if kept.other is None:
        return _page(form, notice=_RESUMED)
    resume = stash(PATH, kept.fields, opened_in=kept.opened_in)
    return _page(form, other_account=kept.other, resume=resume)


@blueprint.post(PATH)
@keeps_input
@limiter.limit("600 per hour", key_func=by_person)
def add() -> ResponseReturnValue:
    """Add it and lead to what it sends, or show the form again with what is wrong."""
    if not current_user.is_authenticated:
        return _ask_to_sign_in()
    form = AssetForm()
    if form_of_other_account() is not None:
        return _page(form, resume=stash(PATH, form.typed)), 409
    if not form.validate_on_submit():
        return _page(form), 422
    try:
        with database().transaction() as session:
            asset = create_asset(
                session,
                person().account_id,
                form.kind.data,
                form.name.data,
                user_id=person().user_id,
            )
            path = path_of(asset)
    except InvalidInput as error:
        for name, message in error.faults.items():
            form[name].errors = [message]
        return _page(form), 422
    flash("Added. These are the messages that it sends: our texts, from your default sender.", "ok")
    return redirect(path, 303)


def _ask_to_sign_in() -> ResponseReturnValue:
    """The sign-in page, which carries what was typed (R-EDIT)."""
    if not is_sent_from_here():
        return redirect(PATH, 303)
    login = log_in_form(next_path=PATH, resume=stash(PATH, AssetForm().typed))
    return render_template("accounts/log_in.html", form=login), 401


def _page(form: AssetForm, **more: object) -> str:
    return render_template(
        "assets/new.html",
        form=form,
        kinds=list(KINDS.values()),
        sends={kind.name: _in_words(kind) for kind in KINDS.values()},
        is_stale=has_lost_token(form),
        **more,
    )


def _in_words(kind: Kind) -> str:
    """What a kind sends, as one reads it: "Receipt, refund, failed payment"."""
    first, *others = (one.title for one in kind.types)
    return ", ".join([first, *(f"{title[0].lower()}{title[1:]}" for title in others)])
