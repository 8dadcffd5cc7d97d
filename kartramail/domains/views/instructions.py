"""The page for the person who runs the DNS, by signed link: no sign-in, and nothing but records."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask import Blueprint, abort, make_response, redirect, render_template
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from kartramail.accounts.service import load_account
from kartramail.clock import now
from kartramail.domains.checklist import Checklist
from kartramail.domains.dns_hosts import find_dns_host
from kartramail.domains.instructions import (
    as_text,
    find_linked,
    records_to_set,
    words_on_what_is_there,
)
from kartramail.domains.views.finding import find_for, look
from kartramail.domains.views.hand_over import zone_answer
from kartramail.domains.views.shown import shown_records
from kartramail.errors import NotFound
from kartramail.rules.domain_names import show_domain
from kartramail.web.access import database, installation
from kartramail.web.entry import without_referrer
from kartramail.web.limits import limiter

P = ParamSpec("P")

blueprint = Blueprint("instructions", __name__, url_prefix="/dns/<token>")


def _for_the_holder(view: Callable[P, ResponseReturnValue]) -> Callable[P, Response]:
    """The address is the permission: no other site sees it, and no search engine keeps it."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        response = make_response(view(*args, **kwargs))
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        return response

    return without_referrer(guarded)


@blueprint.get("")
@limiter.limit("60 per minute")
@_for_the_holder
def show(token: str) -> ResponseReturnValue:
    """The records and what was last seen of them."""
    found = _find(token)
    if found is None:
        return render_template("domains/instructions_gone.html"), 404
    checklist, business_name = found
    return render_template(
        "domains/instructions.html",
        checklist=checklist,
        domain=checklist.domain,
        shown=show_domain(checklist.domain),
        business_name=business_name,
        records=shown_records(checklist),
        is_complete=all(row.is_found for row in checklist.rows) and not checklist.new_key_for,
        dns_host=find_dns_host(checklist.name_servers),
        text=as_text(records_to_set(checklist)),
        what_is_there=words_on_what_is_there(checklist),
        token=token,
        moment=now(),
    )


@blueprint.get("/zone")
@limiter.limit("60 per minute")
@_for_the_holder
def zone(token: str) -> ResponseReturnValue:
    """The records as a zone file."""
    found = _find(token) or abort(404)
    return zone_answer(found[0])


@blueprint.post("/check")
@limiter.limit("12 per minute")
@_for_the_holder
def check(token: str) -> ResponseReturnValue:
    """Ask DNS, unless that was done seconds ago, and show the page again."""
    found = _find(token) or abort(404)
    look(found[0])
    return redirect(f"/dns/{token}", 303)


def _find(token: str) -> tuple[Checklist, str] | None:
    """The domain of the link and the name of its business; None where either is gone."""
    secret = installation().settings.secret_key.get_secret_value()
    with database().reading() as session:
        linked = find_linked(session, token, secret)
    if linked is None:
        return None
    account_id, domain = linked
    checklist = find_for(account_id, domain)
    if checklist is None:
        return None
    try:
        with database().reading() as session:
            return checklist, load_account(session, account_id).business_name
    except NotFound:
        return None
