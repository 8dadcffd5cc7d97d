"""A forgotten password: ask for a link, choose a new one, which confirms too (R-SIGNUP)."""

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from kartramail.accounts.authentication import admit
from kartramail.accounts.forms import ForgotForm, ResetForm
from kartramail.accounts.models import User
from kartramail.accounts.password_resets import (
    account_to_mail_from,
    find_reset,
    request_reset,
    reset_password,
    tell_of_new_password,
)
from kartramail.accounts.passwords import hash_password
from kartramail.accounts.people import Person
from kartramail.accounts.views.routes import blueprint
from kartramail.onboarding.confirmation import confirm_person
from kartramail.rules.addresses import address_key
from kartramail.web.access import database, installation
from kartramail.web.entry import by_typed_address, enter, without_referrer
from kartramail.web.even_time import in_even_time
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.limits import limiter
from kartramail.web.waiting import shown_again


@blueprint.get("/forgot")
def forgot() -> ResponseReturnValue:
    """Ask for the address."""
    return _ask_page(ForgotForm())


def _too_often(words: str) -> str:
    form = ForgotForm()
    form.refuse("email", words)
    return _ask_page(form)


@blueprint.post("/forgot")
@keeps_input
@limiter.limit("10/minute;60/hour", on_breach=shown_again(_too_often))
@limiter.limit("6/hour", key_func=by_typed_address, on_breach=shown_again(_too_often))
def ask_for_reset() -> ResponseReturnValue:
    """Mail a link, if there is somebody of that address. The answer is always the same."""
    form = ForgotForm()
    if not form.validate_on_submit():
        return _ask_page(form), 422
    with in_even_time(), database().transaction() as session:
        request_reset(session, installation().settings.base_url, address_key(form.email.data))
    return redirect("/forgot/sent", 303)


@blueprint.get("/forgot/sent")
def reset_sent() -> ResponseReturnValue:
    """Check your mail."""
    return render_template("accounts/forgot_sent.html")


@blueprint.get("/reset/<token>")
@without_referrer
def choose_password(token: str) -> ResponseReturnValue:
    """Ask for a new password. Looking changes nothing: mail scanners look."""
    with database().reading() as session:
        found = find_reset(session, token)
    if found is None:
        return _link_gone()
    return _page(ResetForm(email=found[1].email), found[1])


@blueprint.post("/reset/<token>")
@keeps_input
@limiter.limit("30/minute")
@without_referrer
def save_new_password(token: str) -> ResponseReturnValue:
    """Set the password, confirm the address if it was not, and sign in."""
    with database().reading() as session:
        found = find_reset(session, token)
    if found is None:
        return _link_gone()
    form = ResetForm(email=found[1].email)
    if not form.validate_on_submit():
        return _page(form, found[1]), 422
    was_confirmed = found[1].confirmed_at is not None
    user, admitted = _reset(token, hash_password(form.password.data))
    if user is None:
        return _link_gone()
    if admitted is None:
        return _without_account()
    enter(admitted)
    flash("Your new password is saved, and you are signed in.", "ok")
    return redirect("/" if was_confirmed else "/onboarding", 303)


def _ask_page(form: ForgotForm) -> str:
    return render_template("accounts/forgot.html", form=form, is_stale=has_lost_token(form))


def _reset(token: str, password_hash: str) -> tuple[User | None, Person | None]:
    """Whose password was set, if the link was good; and their sign-in, if there is a place."""
    with database().transaction() as session:
        user = reset_password(session, token, password_hash)
        if user is None:
            return None, None
        _tell(session, user)
        confirm_person(session, user)
        session.flush()
        return user, admit(session, user)


def _without_account() -> ResponseReturnValue:
    """Somebody who is in no team now: a sign-in needs a place to be in."""
    flash(
        "Your new password is saved. You are in no team now, so you are not signed in: follow the "
        "link of your invitation, and type the new password there.",
        "info",
    )
    return redirect("/login", 303)


def _tell(session: Session, user: User) -> None:
    """Only where there was a password before that somebody could miss."""
    account_id = account_to_mail_from(session, user.id, user.email_key)
    if user.confirmed_at is not None and account_id is not None:
        tell_of_new_password(session, installation().settings.base_url, user, account_id)


def _page(form: ResetForm, user: User) -> str:
    return render_template(
        "accounts/reset.html", form=form, email=user.email, is_stale=has_lost_token(form)
    )


def _link_gone() -> ResponseReturnValue:
    page = render_template(
        "accounts/link_gone.html",
        advice="Links to choose a new password work once and for one hour. Ask for a new one.",
        action_text="Send me a new link",
        action_href="/forgot",
    )
    return page, 410
