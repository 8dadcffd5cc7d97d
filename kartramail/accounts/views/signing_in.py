"""Sign in, sign out, look at another account."""

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.accounts.authentication import (
    Mistaken,
    Recognised,
    TryLater,
    admit,
    authenticate,
    wait_in_words,
)
from kartramail.accounts.forms import LogInForm, log_in_form
from kartramail.accounts.models import User
from kartramail.accounts.sign_ins import end_sign_in, switch_account
from kartramail.accounts.views.routes import blueprint
from kartramail.clock import now
from kartramail.errors import NotFound
from kartramail.ids import read_id
from kartramail.rules.addresses import address_key
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.entry import by_typed_address, enter, landing, leave
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.limits import limiter
from kartramail.web.open_sign_up import OpenSignUpNote, remember_sign_up
from kartramail.web.opened_in import in_any_account
from kartramail.web.resume import with_resume
from kartramail.web.waiting import shown_again

WRONG = "This address and password do not belong together. Check both, or choose a new password."


@blueprint.get("/login")
def log_in() -> ResponseReturnValue:
    """The sign-in page; who is signed in goes on to where they wanted."""
    if current_user.is_authenticated:
        return redirect(landing(request.args.get("next"), None))
    return _page(log_in_form(next_path=request.args.get("next", "")))


def _too_often(words: str) -> str:
    form = LogInForm()
    form.refuse("password", words)
    return _page(form)


@blueprint.post("/login")
@keeps_input
@limiter.limit("30/minute;300/hour", on_breach=shown_again(_too_often))
@limiter.limit("20/minute", key_func=by_typed_address, on_breach=shown_again(_too_often))
def log_in_with_password() -> ResponseReturnValue:
    """Sign in by address and password."""
    form = LogInForm()
    if not form.validate_on_submit():
        return _page(form), 422
    match authenticate(database(), address_key(form.email.data), form.password.data):
        case Recognised(user) if user.confirmed_at is None:
            return _ask_to_confirm(user)
        case Recognised(user):
            return _let_in(form, user)
        case Mistaken():
            form.refuse("password", WRONG)
        case TryLater(wait):
            form.refuse(
                "password",
                f"There were too many wrong passwords for this address. Wait "
                f"{wait_in_words(wait)} and try again, or choose a new password.",
            )
    return _page(form), 422


def _let_in(form: LogInForm, user: User) -> ResponseReturnValue:
    with database().transaction() as session:
        if current_user.is_authenticated:
            end_sign_in(session, person().sign_in_id)
        admitted = admit(session, user)
    if admitted is None:
        form.refuse(
            "email",
            "You do not belong to any account now. Ask an owner to invite you again, or sign up.",
        )
        return _page(form), 422
    enter(admitted)
    return redirect(landing(form.next.data, form.resume.data), 303)


def _ask_to_confirm(user: User) -> ResponseReturnValue:
    """The password is right, so this may say that the address waits for confirmation."""
    remember_sign_up(OpenSignUpNote(user.email, "", user.full_name, now()))
    flash("Confirm your address first: follow the link in the mail, then you can sign in.", "info")
    return redirect("/signup/sent", 303)


def _page(form: LogInForm) -> str:
    return render_template("accounts/log_in.html", form=form, is_stale=has_lost_token(form))


@blueprint.post("/logout")
@in_any_account
def log_out() -> ResponseReturnValue:
    """End this browser's sign-in in the database, so that a copy of its cookie is worth nothing."""
    if current_user.is_authenticated:
        with database().transaction() as session:
            end_sign_in(session, person().sign_in_id)
    leave()
    flash("You are signed out.", "info")
    return redirect("/login", 303)


@blueprint.post("/account/switch")
@in_any_account
@signed_in_required
def look_at_other_account() -> ResponseReturnValue:
    """Look at another account of the same person, at a form that was typed into there if any."""
    account_id = read_id(request.form.get("account", ""))
    with database().transaction() as session:
        is_theirs = account_id is not None and switch_account(
            session, person().sign_in_id, person().user_id, account_id
        )
    if not is_theirs:
        raise NotFound("There is no such account.")
    return redirect(with_resume(request.form.get("resume")) or "/", 303)
