"""The link from the sign-up mail: a page that asks for the password, a button that confirms."""

from flask import flash, redirect, render_template
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
from kartramail.accounts.models import User
from kartramail.accounts.people import Person
from kartramail.accounts.sign_ins import end_sign_in
from kartramail.onboarding.confirmation import OpenSignUp, confirm_sign_up, find_sign_up
from kartramail.onboarding.forms import ConfirmForm
from kartramail.onboarding.views.routes import blueprint
from kartramail.web.access import database, person
from kartramail.web.entry import enter, without_referrer
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.limits import limiter


@blueprint.get("/confirm/<token>")
@without_referrer
def confirm_page(token: str) -> ResponseReturnValue:
    """Show what would be confirmed. Looking changes nothing: mail scanners look."""
    found = _find(token)
    return _link_gone() if found is None else _page(ConfirmForm(), found)


@blueprint.post("/confirm/<token>")
@keeps_input
@limiter.limit("30/minute")
@without_referrer
def confirm(token: str) -> ResponseReturnValue:
    """Confirm, and sign in the browser that did."""
    found = _find(token)
    if found is None:
        return _link_gone()
    form = ConfirmForm()
    if not form.validate_on_submit():
        return _page(form, found), 422
    match authenticate(database(), found.user.email_key, form.password.data):
        case Recognised(user):
            admitted = _confirm(token, user)
            return _link_gone() if admitted is None else _welcome(admitted)
        case Mistaken():
            form.refuse(
                "password",
                "This is not the password chosen at sign-up. Check it, or choose a new one below.",
            )
        case TryLater(wait):
            form.refuse(
                "password",
                f"There were too many wrong passwords. Wait {wait_in_words(wait)} and try again, "
                "or choose a new one below.",
            )
    return _page(form, found), 422


def _confirm(token: str, user: User) -> Person | None:
    with database().transaction() as session:
        confirmed = confirm_sign_up(session, token, user.password_hash)
        if confirmed is None:
            return None
        if current_user.is_authenticated:
            end_sign_in(session, person().sign_in_id)
        session.flush()
        return admit(session, confirmed)


def _welcome(admitted: Person) -> ResponseReturnValue:
    enter(admitted)
    flash(f"{admitted.email} is confirmed, and you are signed in.", "ok")
    return redirect("/onboarding", 303)


def _find(token: str) -> OpenSignUp | None:
    with database().reading() as session:
        return find_sign_up(session, token)


def _page(form: ConfirmForm, found: OpenSignUp) -> str:
    return render_template(
        "onboarding/confirm.html", form=form, found=found, is_stale=has_lost_token(form)
    )


def _link_gone() -> ResponseReturnValue:
    page = render_template(
        "accounts/link_gone.html",
        advice="Links to confirm an address work once and for 24 hours, and only the newest one "
        "works. If you confirmed already, sign in; otherwise sign up again.",
        action_text="Go to sign-in",
        action_href="/login",
    )
    return page, 410
