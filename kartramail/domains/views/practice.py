"""Practice: publish, break and take away records of a made-up domain, in a try-out only.

Only where the practice DNS runs, and only from the machine itself.
"""

from flask import Blueprint, abort, flash, redirect, request
from flask.typing import ResponseReturnValue

from kartramail.domains.checklist import Checklist
from kartramail.domains.views.finding import find_checklist, look
from kartramail.domains.views.practising import can_practise, practice_zone
from kartramail.domains.views.rendering import render_live
from kartramail.rules.dns_records import WantedRecord
from kartramail.sandbox.practice_mistakes import find_mistake
from kartramail.web.access import signed_in_required
from kartramail.web.fragments import wants_fragment

blueprint = Blueprint("practice", __name__, url_prefix="/settings/domains/<domain>")

_ALL = "all"


@blueprint.post("/practice")
@signed_in_required
def practise(domain: str) -> ResponseReturnValue:
    """Do `action` (publish, break, remove) with `record`, or with "all"; then look."""
    checklist = find_checklist(domain)
    if not can_practise(checklist):
        abort(404)
    chosen = request.form.get("record", "")
    wanted = [row.wanted for row in checklist.rows if chosen in (row.wanted.key, _ALL)]
    if not wanted or not _act(checklist, wanted, request.form.get("action", "")):
        abort(400)
    look(checklist, is_forced=True)
    if wants_fragment():
        return render_live(find_checklist(domain), 1)
    flash("The practice DNS has changed, and the records were looked at just now.", "info")
    place = "records" if chosen == _ALL else f"record-{chosen}"
    return redirect(f"/settings/domains/{checklist.domain}#{place}", 303)


def _act(checklist: Checklist, wanted: list[WantedRecord], action: str) -> bool:
    """Change the practice zone; False for what cannot be done."""
    if action not in ("publish", "break", "remove"):
        return False
    zone, others = practice_zone(), [row.wanted for row in checklist.rows]
    mistake = find_mistake(request.form.get("mistake", ""))
    if action == "break" and not all(mistake and mistake.applies_to(each) for each in wanted):
        return False
    for record in wanted:
        if action == "remove":
            zone.remove(checklist.domain, record)
        elif action == "publish" or mistake is None:
            zone.publish(checklist.domain, record)
        else:
            zone.publish(checklist.domain, record, mistake.code, others)
    return True
