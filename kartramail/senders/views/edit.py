"""The form of the default sender: shown, filled in by a suggestion, saved (R-EDIT, R-SAVE)."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from kartramail.senders.views.form_flow import save_form, show_form
from kartramail.senders.views.places import DefaultSender
from kartramail.web.access import signed_in_required
from kartramail.web.forms import keeps_input

blueprint = Blueprint("edit", __name__)


@blueprint.get(DefaultSender.path)
@signed_in_required
def show() -> ResponseReturnValue:
    """The form as it is saved, or with what was typed before the session was lost."""
    return show_form(DefaultSender())


@blueprint.post(DefaultSender.path)
@keeps_input
def save() -> ResponseReturnValue:
    """Save what was typed, or show it again with what is wrong; nothing typed is ever lost."""
    return save_form(DefaultSender())
