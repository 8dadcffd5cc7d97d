"""Sign-up and "check your mail" (R-SIGNUP): alike for a known address and an unknown one."""

from typing import Any

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.accounts.passwords import hash_password
from kartramail.clock import now
from kartramail.onboarding.confirmation import is_confirmed_since
from kartramail.onboarding.forms import SignUpForm
from kartramail.onboarding.service import send_again, sign_up
from kartramail.onboarding.views.routes import blueprint
from kartramail.rules.addresses import Address, AddressPolicy, address_key, judge_signup_address
from kartramail.rules.mail_hosts import judge_mail_host
from kartramail.rules.verdict import Status
from kartramail.web.access import database, installation
from kartramail.web.even_time import in_even_time
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.fragments import wants_fragment
from kartramail.web.limits import limiter
from kartramail.web.open_sign_up import OpenSignUpNote, recall_sign_up, remember_sign_up
from kartramail.web.waiting import ask_to_wait, shown_again, too_often, wait_for_turn

_OF_ONE_ADDRESS = "10/hour"  # complete sign-ups: each is a mail
_FIRST_LOOK, _RAREST_LOOK = 3, 30  # seconds between two looks of the first tab


@blueprint.get("/signup")
def sign_up_page() -> ResponseReturnValue:
    """The form; after "Change it" with what was typed before, save the password."""
    if current_user.is_authenticated:
        return redirect("/")
    note = recall_sign_up() if "change" in request.args else None
    data = {} if note is None else _typed(note)
    return _page(SignUpForm(_policy(), formdata=None, data=data))


def _too_often(words: str) -> str:
    form = SignUpForm(_policy())
    form.refuse("email", words)
    return _page(form)


@blueprint.post("/signup")
@keeps_input
@limiter.limit("60/minute;600/hour", on_breach=shown_again(_too_often))
def save_sign_up() -> ResponseReturnValue:
    """Keep the sign-up and send its mail. Signs nobody in."""
    form = SignUpForm(_policy())
    if form.has_taken_suggestion():
        return _page(form)
    address = _address(form) if form.validate_on_submit() else None
    if address is None:
        return _page(form), 422
    wait = wait_for_turn("sign-up", _OF_ONE_ADDRESS, address.key)
    if wait is not None:
        return too_often(_too_often(ask_to_wait(wait)), wait)
    password_hash = hash_password(form.password.data)  # always: time must tell nothing
    note = _note(form)
    with in_even_time(), database().transaction() as session:
        sign_up(
            session,
            installation(),
            business_name=note.business_name,
            full_name=note.full_name,
            email=note.email,
            password_hash=password_hash,
        )
    remember_sign_up(note)
    return redirect("/signup/sent", 303)


@blueprint.post("/signup/check/email")
@keeps_input
@limiter.limit("120/minute")
def check_email() -> ResponseReturnValue:
    """Judge the address as one types: gently at first, without a look-up (R-LIVE)."""
    typed = request.form.get("email", "")
    is_typing = request.headers.get("X-Field-Moment") == "typing"
    verdict = judge_signup_address(typed.strip(), _policy()).verdict if typed.strip() else None
    if is_typing and verdict is not None and verdict.code != "did_you_mean":
        verdict = verdict if verdict.status is Status.OK else None
    return render_template("onboarding/_email_message.html", form=_empty_form(), verdict=verdict)


@blueprint.get("/signup/sent")
@limiter.limit("120/minute")
def check_your_mail() -> ResponseReturnValue:
    """ "Check your mail". The first tab asks here, ever more rarely, whether it was confirmed."""
    note = recall_sign_up()
    if current_user.is_authenticated:
        return _go("/onboarding")
    if note is None:
        return _go("/signup")
    with database().reading() as session:
        is_confirmed = is_confirmed_since(session, address_key(note.email), note.asked_at)
    is_fragment = wants_fragment()
    if is_confirmed and not is_fragment:
        flash("Your address is confirmed. Sign in to go on.", "ok")
        return redirect("/login")
    look = min(request.args.get("look", 0, type=int), 100)
    template = "onboarding/_waiting.html" if is_fragment else "onboarding/check_your_mail.html"
    return render_template(
        template,
        note=note,
        is_confirmed=is_confirmed,
        has_looked="look" in request.args and not is_fragment,
        look=max(look, 0) + 1,
        wait=min(_FIRST_LOOK + max(look, 0), _RAREST_LOOK),
    )


@blueprint.post("/signup/again")
@limiter.limit("3/minute;20/hour")
def send_mail_again() -> ResponseReturnValue:
    """Send the mail once more; the link before is void."""
    note = recall_sign_up()
    if note is None:
        return redirect("/signup", 303)
    with in_even_time(), database().transaction() as session:
        send_again(session, installation().settings.base_url, address_key(note.email))
    flash("Sent again. Only the link in the newest mail works.", "info")
    return redirect("/signup/sent", 303)


def _address(form: SignUpForm) -> Address | None:
    """The address of a form that is valid, where mail to it can arrive.

    Asks DNS, outside of any transaction: a certain no refuses, no answer lets pass (R-REPLY).
    """
    address = form.judged.address if form.judged else None
    if address is None:
        return None
    verdict = judge_mail_host(address.domain, *installation().resolver.mail_hosts(address.domain))
    if not verdict.is_error:
        return address
    form.verdicts["email"] = verdict
    form.refuse("email", verdict.message)
    return None


def _note(form: SignUpForm) -> OpenSignUpNote:
    return OpenSignUpNote(
        form.email.data, form.business_name.data, form.full_name.data, asked_at=now()
    )


def _typed(note: OpenSignUpNote) -> dict[str, Any]:
    return {
        "email": note.email,
        "business_name": note.business_name,
        "full_name": note.full_name,
    }


def _policy() -> AddressPolicy:
    return installation().address_policy()


def _empty_form() -> SignUpForm:
    return SignUpForm(_policy(), formdata=None)


def _page(form: SignUpForm) -> str:
    return render_template("onboarding/sign_up.html", form=form, is_stale=has_lost_token(form))


def _go(path: str) -> ResponseReturnValue:
    """To another page, also from within a fragment."""
    if wants_fragment():
        response = make_response("", 200)
        response.headers["HX-Redirect"] = path
        return response
    return redirect(path)
