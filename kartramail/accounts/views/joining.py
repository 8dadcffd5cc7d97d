"""Joining a team by an invitation's link: as somebody new, known here already, or signed in."""

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlmodel import Session

from kartramail.accounts.authentication import (
    Mistaken,
    Recognised,
    TryLater,
    admit,
    authenticate,
    wait_in_words,
)
from kartramail.accounts.forms import JoinForm, JoinKnownForm, JoinSignedInForm, JudgedForm
from kartramail.accounts.invitations import OpenInvitation, find_invitation
from kartramail.accounts.joining import accept_invitation, join_as_new_person
from kartramail.accounts.models import User
from kartramail.accounts.passwords import hash_password
from kartramail.accounts.people import Person
from kartramail.accounts.service import load_user
from kartramail.accounts.sign_ins import end_sign_in
from kartramail.accounts.views.routes import blueprint
from kartramail.rules.addresses import Address, judge_signup_address
from kartramail.web.access import database, installation, person
from kartramail.web.entry import enter, without_referrer
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.limits import limiter


@blueprint.get("/join/<token>")
@without_referrer
def join(token: str) -> ResponseReturnValue:
    """Show who invites to what. Looking changes nothing."""
    found = _find(token)
    return _link_gone() if found is None else _page(_form_for(found), found)


@blueprint.post("/join/<token>")
@keeps_input
@limiter.limit("20/minute")
@without_referrer
def accept(token: str) -> ResponseReturnValue:
    """Join, and be signed in looking at the account."""
    found = _find(token)
    if found is None:
        return _link_gone()
    form = _form_for(found)
    if not form.validate_on_submit():
        return _page(form, found), 422
    joined = _join(token, form, found)
    if joined is None:
        return (_page(form, found), 422) if form.errors else _link_gone()
    enter(joined)
    flash(f"You are now in the team of {found.business_name}.", "ok")
    return redirect("/", 303)


def _form_for(found: OpenInvitation) -> JudgedForm:
    """What has to be asked: nothing of who is signed in, a password of who is known here."""
    formdata = {} if request.method == "POST" else {"formdata": None}
    if found.user is None or found.user.confirmed_at is None:
        return JoinForm(email=found.invitation.email, business_name=found.business_name, **formdata)
    if _is_signed_in_as(found.user):
        return JoinSignedInForm(**formdata)
    return JoinKnownForm(**formdata)


def _join(token: str, form: JudgedForm, found: OpenInvitation) -> Person | None:
    if isinstance(form, JoinForm):
        return _join_as_new(token, form, found)
    if isinstance(form, JoinSignedInForm):
        with database().transaction() as session:
            return _accept(session, token, load_user(session, person().user_id))
    match authenticate(database(), found.invitation.email_key, form["password"].data):
        case Recognised(user):
            with database().transaction() as session:
                return _accept(session, token, user)
        case Mistaken():
            form.refuse("password", "This is not your password. Check it, or choose a new one.")
        case TryLater(wait):
            form.refuse(
                "password",
                f"There were too many wrong passwords. Wait {wait_in_words(wait)} and try again.",
            )
    return None


def _join_as_new(token: str, form: JoinForm, found: OpenInvitation) -> Person | None:
    password_hash = hash_password(form.password.data)
    address = _address(found)
    with database().transaction() as session:
        joined = join_as_new_person(session, token, address, form.full_name.data, password_hash)
        if joined is None:
            return None
        session.flush()
        return admit(session, *joined)


def _accept(session: Session, token: str, user: User) -> Person | None:
    account_id = accept_invitation(session, token, user)
    if account_id is None:
        return None
    if current_user.is_authenticated:
        end_sign_in(session, person().sign_in_id)
    return admit(session, user, account_id)


def _address(found: OpenInvitation) -> Address:
    judged = judge_signup_address(found.invitation.email, installation().address_policy())
    if judged.address is None:
        raise ValueError("an invitation was sent to what is no address")
    return judged.address


def _find(token: str) -> OpenInvitation | None:
    with database().reading() as session:
        return find_invitation(session, token)


def _is_signed_in_as(user: User | None) -> bool:
    return bool(user and current_user.is_authenticated and person().user_id == user.id)


def _page(form: JudgedForm, found: OpenInvitation) -> str:
    return render_template(
        "accounts/join.html",
        form=form,
        found=found,
        needs={"JoinForm": "all", "JoinKnownForm": "password"}.get(type(form).__name__, "nothing"),
        other=person()
        if current_user.is_authenticated and not _is_signed_in_as(found.user)
        else None,
        is_stale=has_lost_token(form),
    )


def _link_gone() -> ResponseReturnValue:
    page = render_template(
        "accounts/link_gone.html",
        advice="Invitations work once and for seven days, and can be withdrawn. "
        "Ask the person who invited you for a new one.",
        action_text="Go to sign-in",
        action_href="/login",
    )
    return page, 410
