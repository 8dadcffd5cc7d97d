"""Help pages: what a person may want to read before they decide."""

from flask import Blueprint, render_template

from kartramail.assets.kinds import TYPES, Recipient
from kartramail.web.access import signed_in_required

blueprint = Blueprint("help", __name__)

_HEADINGS = {
    Recipient.CONTACT: "To your contacts",
    Recipient.AFFILIATE: "To your affiliates",
    Recipient.TEAM: "To your team",
}


@blueprint.get("/help")
@signed_in_required
def index() -> str:
    """What there is to read."""
    return render_template("help/index.html")


@blueprint.get("/help/streams")
@signed_in_required
def streams() -> str:
    """Receipts or newsletters: which is which and why, and who may send them (R-STREAM)."""
    groups = [
        (heading, [one for one in TYPES.values() if one.recipient is recipient])
        for recipient, heading in _HEADINGS.items()
    ]
    return render_template("help/streams.html", groups=groups)
