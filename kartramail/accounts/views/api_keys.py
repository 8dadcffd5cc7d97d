"""API keys: make one (shown once), see when each was used, revoke."""

from flask import flash, redirect, render_template
from flask.typing import ResponseReturnValue

from kartramail.accounts.api_keys import list_api_keys, make_api_key, revoke_api_key
from kartramail.accounts.forms import ApiKeyForm
from kartramail.accounts.views.routes import blueprint
from kartramail.clock import now
from kartramail.errors import NotFound
from kartramail.ids import read_id
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.forms import has_lost_token, keeps_input
from kartramail.web.limits import by_person, limiter


@blueprint.get("/settings/api-keys")
@signed_in_required
def api_keys() -> ResponseReturnValue:
    """The account's keys."""
    return _page(ApiKeyForm(formdata=None))


@blueprint.post("/settings/api-keys")
@keeps_input
@limiter.limit("30/hour", key_func=by_person)
@signed_in_required
def make_key() -> ResponseReturnValue:
    """Make a key. The answer itself shows it: a redirect would have to keep it somewhere."""
    form = ApiKeyForm()
    if not form.validate_on_submit():
        return _page(form), 422
    with database().transaction() as session:
        _, raw = make_api_key(session, person().account_id, form.name.data, person().user_id)
    return _page(ApiKeyForm(formdata=None), made=(form.name.data, raw))


@blueprint.post("/settings/api-keys/<shown_id>/revoke")
@signed_in_required
def revoke_key(shown_id: str) -> ResponseReturnValue:
    """Make a key worthless at once."""
    key_id = read_id(shown_id)
    if key_id is None:
        raise NotFound("There is no such key.")
    with database().transaction() as session:
        name = revoke_api_key(session, person().account_id, key_id, user_id=person().user_id)
    flash(f"The key {name} is revoked. Programs that use it are refused from now on.", "ok")
    return redirect("/settings/api-keys", 303)


def _page(form: ApiKeyForm, made: tuple[str, str] | None = None) -> str:
    with database().reading() as session:
        keys = list_api_keys(session, person().account_id)
    return render_template(
        "accounts/api_keys.html",
        form=form,
        keys=keys,
        made=made,
        now=now(),
        is_stale=has_lost_token(form),
    )
