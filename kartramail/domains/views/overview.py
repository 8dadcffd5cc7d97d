"""Settings › Domains: the account's domains, and a field to add one (R-DOMAIN)."""

from flask import Blueprint, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from kartramail.domains.forms import DOMAIN_HELP, DomainForm
from kartramail.domains.keys import make_key_pairs
from kartramail.domains.service import add_domain, list_checklists
from kartramail.domains.views.shown import badge_of, next_step
from kartramail.rules.domain_names import judge_domain, show_domain
from kartramail.rules.verdict import OK, Status
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.limits import by_person, limiter

blueprint = Blueprint("overview", __name__)

PATH = "/settings/domains"
_TYPING = "typing"  # what the page says of a field that one is still in


@blueprint.get(PATH)
@signed_in_required
def index() -> ResponseReturnValue:
    """The domains with their states, what is missing and what to do next; the field below."""
    return _page(DomainForm(installation().address_policy(), formdata=None))


@blueprint.post(PATH)
@keeps_input
@limiter.limit("30 per hour", key_func=by_person)
@signed_in_required
def add() -> ResponseReturnValue:
    """Add a domain, or lead to the one that is there already."""
    form = DomainForm(installation().address_policy())
    if "use_domain" in request.form:  # a suggestion that was pressed without JavaScript
        form.domain.data = request.form["use_domain"]
        return _page(form)
    if not form.validate_on_submit() or form.judged is None or form.judged.domain is None:
        return _page(form), 422
    domain = form.judged.domain
    keys = make_key_pairs()  # before the transaction: it takes a while
    with database().transaction() as session:
        _, is_new = add_domain(
            session,
            person().account_id,
            domain,
            installation(),
            user_id=person().user_id,
            keys=keys,
        )
    if not is_new:
        flash(f"{show_domain(domain)} is here already. This is its page.", "info")
    return redirect(f"{PATH}/{domain}", 303)


@blueprint.post(f"{PATH}/check/domain")
@keeps_input  # it changes nothing; a page whose session was renewed goes on being checked
def check_field() -> ResponseReturnValue:
    """Judge the domain as one types: gently at first (R-LIVE)."""
    if not current_user.is_authenticated:
        return "", 401  # no way to the sign-in page from here: it would take away what was typed
    typed = request.form.get("domain", "").strip()
    is_typing = request.headers.get("X-Field-Moment") == _TYPING
    verdict = judge_domain(typed, installation().address_policy()).verdict if typed else OK
    is_early = is_typing and verdict.status is Status.ERROR and not verdict.suggestion
    shown = None if is_early or not verdict.message else verdict
    return render_template("domains/_domain_message.html", verdict=shown, help=DOMAIN_HELP)


def _page(form: DomainForm) -> str:
    with database().reading() as session:
        checklists = list_checklists(session, person().account_id, installation())
    rows = [
        (checklist, show_domain(checklist.domain), badge_of(checklist), next_step(checklist, None))
        for checklist in checklists
    ]
    return render_template(
        "domains/index.html",
        rows=rows,
        form=form,
        is_stale=has_lost_token(form),
    )
