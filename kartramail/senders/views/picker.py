"""Adding a sender inside a picker, by JavaScript: the same as without, one fragment at a time."""

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from kartramail.senders.forms.picker import adding_in_picker
from kartramail.senders.picker import load_options
from kartramail.web.access import database, installation, person, signed_in_required

blueprint = Blueprint("picker", __name__)


@blueprint.post("/settings/senders/picker")
@signed_in_required
def add_in_picker() -> ResponseReturnValue:
    """What the button pressed asks for; a sender that was added comes along as a chosen row."""
    adding = adding_in_picker()
    if adding is None:
        abort(404)
    added = None
    if adding.chosen_id is not None:
        platform_domain = installation().settings.platform_domain
        with database().reading() as session:
            options = load_options(session, person().account_id, platform_domain)
        added = next((option for option in options if option.id == adding.chosen_id), None)
    return render_template("senders/_adding.html", adding=adding, added=added)
