"""Another name for a form, a calendar or a product; what was typed is always kept."""

from flask import Blueprint, flash, redirect
from flask.typing import ResponseReturnValue

from kartramail.assets.renaming import rename_asset
from kartramail.assets.views.naming import NameForm
from kartramail.assets.views.notification_page import show_page
from kartramail.assets.views.paths import ONE, named, path_of
from kartramail.errors import EditConflict
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.forms import has_lost_token, keeps_input

blueprint = Blueprint("renaming", __name__)


@blueprint.post(f"{ONE.removesuffix('/notifications')}/name")
@keeps_input
@signed_in_required
def rename(kind_name: str, shown_id: str) -> ResponseReturnValue:
    """Save the name, unless somebody else changed it meanwhile: then say so and keep the typed."""
    asset = named(kind_name, shown_id)
    form = NameForm()
    if not form.validate_on_submit():
        return show_page(asset, form, is_stale=has_lost_token(form)), 422
    try:
        with database().transaction() as session:
            rename_asset(
                session,
                person().account_id,
                asset.asset.id,
                form.name.data,
                was=form.read_name,
                user_id=person().user_id,
            )
    except EditConflict:
        form.was.data = asset.asset.name
        return show_page(asset, form, is_taken_over=True), 409
    flash("The name is saved.", "ok")
    return redirect(path_of(asset.asset), 303)
