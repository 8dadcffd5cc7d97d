"""One's own name and password."""

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue

from kartramail.accounts.authentication import Mistaken, TryLater, authenticate, wait_in_words
from kartramail.accounts.forms import ChangePasswordForm, PersonForm
from kartramail.accounts.password_resets import set_password, tell_of_new_password
from kartramail.accounts.passwords import hash_password
from kartramail.accounts.people import find_person
from kartramail.accounts.service import load_user, rename_person
from kartramail.accounts.sign_ins import list_accounts, start_sign_in
from kartramail.accounts.views.routes import blueprint
from kartramail.rules.addresses import address_key
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.entry import enter
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.limits import by_person, limiter


@blueprint.get("/settings/profile")
@signed_in_required
def profile() -> ResponseReturnValue:
    """Name, address, password, and the accounts one belongs to."""
    return _page(_person_form(), _password_form())


@blueprint.post("/settings/profile/name")
@keeps_input
@signed_in_required
def save_name() -> ResponseReturnValue:
    """Change one's name."""
    form = PersonForm()
    if not form.validate_on_submit():
        return _page(form, _password_form()), 422
    with database().transaction() as session:
        rename_person(session, person().account_id, person().user_id, form.full_name.data)
    flash("Your name is saved.", "ok")
    return redirect("/settings/profile", 303)


@blueprint.post("/settings/profile/password")
@keeps_input
@limiter.limit("10/minute", key_func=by_person)
@signed_in_required
def change_password() -> ResponseReturnValue:
    """Change one's password: every other browser is signed out, this one gets a new session."""
    form = ChangePasswordForm(email=person().email, business_name=person().business_name)
    if not form.validate_on_submit() or not _is_current_password(form):
        return _page(_person_form(), form), 422
    _save_password(hash_password(form.new_password.data))
    flash("Your new password is saved. Every other browser is signed out.", "ok")
    return redirect("/settings/profile", 303)


def _is_current_password(form: ChangePasswordForm) -> bool:
    match authenticate(database(), address_key(person().email), form.current_password.data):
        case TryLater(wait):
            words = (
                f"There were too many wrong passwords. Wait {wait_in_words(wait)} and try again."
            )
        case Mistaken():
            words = "This is not your current password. Check it, or sign out and choose a new one."
        case _:
            return True
    form.refuse("current_password", words)
    return False


def _save_password(password_hash: str) -> None:
    me = person()
    with database().transaction() as session:
        set_password(session, me.user_id, password_hash)
        user = load_user(session, me.user_id)
        tell_of_new_password(session, installation().settings.base_url, user, me.account_id)
        sign_in = start_sign_in(session, me.user_id, me.account_id)
        admitted = find_person(session, sign_in.id)
    if admitted is not None:
        enter(admitted)


def _person_form() -> PersonForm:
    return PersonForm(formdata=None, data={"full_name": person().full_name})


def _password_form() -> ChangePasswordForm:
    return ChangePasswordForm(formdata=None)


def _page(form: PersonForm, password_form: ChangePasswordForm) -> str:
    with database().reading() as session:
        accounts = list_accounts(session, person().user_id)
    return render_template(
        "accounts/profile.html",
        form=form,
        password_form=password_form,
        others=[account for account in accounts if account.id != person().account_id],
        is_stale=has_lost_token(form) or has_lost_token(password_form),
    )
