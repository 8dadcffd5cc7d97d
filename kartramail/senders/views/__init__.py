"""Pages about who an account's mail comes from, one module a purpose."""

from flask import Blueprint

from kartramail.senders.views import card, check, edit, further, picker, proof, removal, trial

blueprint = Blueprint("senders", __name__)
for part in (card, check, edit, further, picker, proof, removal, trial):
    blueprint.register_blueprint(part.blueprint)
