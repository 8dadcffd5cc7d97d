"""Pages of forms, calendars and products, and of the notifications they send."""

from flask import Blueprint

from kartramail.assets.views import (
    adding,
    checking,
    editor,
    notifications,
    overview,
    own_sender,
    preview,
    renaming,
    resetting,
    sample,
    settings,
)

blueprint = Blueprint("assets", __name__)
for part in (
    adding,
    checking,
    editor,
    notifications,
    overview,
    own_sender,
    preview,
    renaming,
    resetting,
    sample,
    settings,
):
    blueprint.register_blueprint(part.blueprint)
