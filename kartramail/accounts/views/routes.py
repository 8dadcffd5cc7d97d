"""The blueprint that all pages of this feature hang on."""

from flask import Blueprint

from kartramail.ids import show_id

blueprint = Blueprint("accounts", __name__)


@blueprint.app_template_filter("shown_id")
def shown_id(value: int) -> str:
    """An id as it stands in addresses and forms."""
    return show_id(value)
