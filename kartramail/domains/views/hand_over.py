"""The records for somebody else: as a zone file, and by mail to who runs the DNS (R-DOMAIN)."""

from flask import Blueprint, Response, flash, redirect, request
from flask.typing import ResponseReturnValue

from kartramail.domains.checklist import Checklist
from kartramail.domains.forms import ShareForm
from kartramail.domains.instructions import as_zone, make_link, send_instructions
from kartramail.domains.views.finding import find_with_keys
from kartramail.domains.views.rendering import render_page
from kartramail.web.access import database, installation, person, signed_in_required
from kartramail.web.forms import keeps_input
from kartramail.web.limits import by_person, limiter

blueprint = Blueprint("hand_over", __name__, url_prefix="/settings/domains/<domain>")


@blueprint.get("/zone")
@signed_in_required
def zone(domain: str) -> Response:
    """The records as a zone file."""
    return zone_answer(find_with_keys(domain))


@blueprint.post("/share")
@keeps_input
@limiter.limit("10 per hour; 30 per day", key_func=by_person)
@signed_in_required
def share(domain: str) -> ResponseReturnValue:
    """Mail the records and the link to somebody."""
    checklist = find_with_keys(domain)
    form = ShareForm(installation().address_policy())
    if "use_email" in request.form:  # a suggestion that was pressed without JavaScript
        form.email.data = request.form["use_email"]
        return render_page(checklist, share=form, who="other")
    if not form.validate_on_submit() or form.address is None:
        return render_page(checklist, share=form, who="other"), 422
    _send(checklist, to=form.address.text, note=form.note.data or "")
    flash(
        f"The records are on their way to {form.address.display}. When they are set, this page "
        "turns green and you get a mail.",
        "ok",
    )
    return redirect(f"/settings/domains/{checklist.domain}", 303)


def zone_answer(checklist: Checklist) -> Response:
    """The zone file as a download."""
    response = Response(as_zone(checklist), mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="{checklist.domain}.zone"'
    return response


def _send(checklist: Checklist, *, to: str, note: str) -> None:
    who, settings = person(), installation().settings
    secret = settings.secret_key.get_secret_value()
    with database().transaction() as session:
        token = make_link(session, who.account_id, checklist.domain, secret)
        send_instructions(
            session,
            checklist,
            account_id=who.account_id,
            to=to,
            business_name=who.business_name,
            full_name=who.full_name or who.email,
            note=note,
            link=f"{settings.base_url}/dns/{token}",
        )
