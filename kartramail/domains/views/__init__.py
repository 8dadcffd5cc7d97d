"""Pages about domains, one module a purpose."""

from flask import Blueprint

from kartramail.domains.views import changes, checking, hand_over, instructions, overview, practice

blueprint = Blueprint("domains", __name__)
for part in (overview, checking, hand_over, instructions, changes, practice):
    blueprint.register_blueprint(part.blueprint)
