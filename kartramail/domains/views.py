"""Settings › Domains. Until domains can be authenticated, the page says what comes (R-ONBOARD)."""

from flask import Blueprint, render_template

from kartramail.messages.resolution import resolve_sender
from kartramail.senders.standing import gateway_standing
from kartramail.web.access import database, installation, person, signed_in_required

blueprint = Blueprint("domains", __name__)


@blueprint.get("/settings/domains")
@signed_in_required
def index() -> str:
    """What authentication is for, what it will ask of you, and how mail goes out until then."""
    platform_domain = installation().settings.platform_domain
    with database().reading() as session:
        standing = gateway_standing(session, person().account_id, platform_domain)
    return render_template("domains/index.html", resolution=resolve_sender(standing))
