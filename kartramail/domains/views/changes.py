"""Removing a domain, and replacing one of its keys (R-DOMAIN, R-DKIM)."""

from flask import Blueprint, flash, redirect
from flask.typing import ResponseReturnValue

from kartramail.domains.keys import make_key_pairs
from kartramail.domains.rotation import start_replacement
from kartramail.domains.service import remove_domain
from kartramail.domains.views.finding import find_checklist
from kartramail.rules.domain_names import show_domain
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.limits import by_person, limiter

blueprint = Blueprint("changes", __name__, url_prefix="/settings/domains/<domain>")


@blueprint.post("/remove")
@signed_in_required
def remove(domain: str) -> ResponseReturnValue:
    """Remove the domain: its mail falls back at once."""
    checklist = find_checklist(domain)
    with database().transaction() as session:
        remove_domain(session, person().account_id, checklist.domain, user_id=person().user_id)
    flash(
        f"{show_domain(checklist.domain)} is removed. Its records in DNS do nothing any more; you "
        "can take them away.",
        "ok",
    )
    return redirect("/settings/domains", 303)


@blueprint.post("/rotate")
@signed_in_required
@limiter.limit("10 per hour", key_func=by_person)
def rotate(domain: str) -> ResponseReturnValue:
    """Make a new key for the selector that does not sign now."""
    checklist = find_checklist(domain)
    keys = make_key_pairs()  # before the transaction: it takes a while
    with database().transaction() as session:
        is_started = start_replacement(
            session, checklist.domain_id, keys, installation().settings, user_id=person().user_id
        )
    if is_started:
        flash(
            "A new key is made. Mail is signed with the one before until the new record is found.",
            "ok",
        )
    else:
        flash(
            "The key cannot be replaced yet: mail that it signed may still be under way, or a "
            "record is missing. Try again in a week.",
            "warning",
        )
    return redirect(f"/settings/domains/{checklist.domain}", 303)
