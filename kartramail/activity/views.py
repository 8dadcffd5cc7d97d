"""The list of all messages (R-LOG)."""

from flask import Blueprint, make_response, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.activity import action_views, export_views, message_views, waiting_views
from kartramail.activity.choices import load_choices
from kartramail.activity.filters import Filters, read_filters
from kartramail.activity.queries import WINDOW, find_messages, has_messages
from kartramail.activity.shown import show_lines
from kartramail.clock import now
from kartramail.outbox.old_messages import has_old_messages
from kartramail.web.access import database, installation, person, signed_in_required

blueprint = Blueprint("activity", __name__, url_prefix="/activity")
for inner in (export_views, waiting_views, message_views, action_views):
    blueprint.register_blueprint(inner.blueprint)


@blueprint.get("")
@signed_in_required
def index() -> ResponseReturnValue:
    """The messages that the filters ask for; as one types, the list alone."""
    filters = read_filters(request.args)
    is_fragment = request.headers.get("HX-Target") == "activity-list"
    account_id = person().account_id
    platform_domain = installation().settings.platform_domain
    with database().reading() as session:
        found = find_messages(session, account_id, filters)
        lines = show_lines(session, account_id, found.rows, platform_domain)
        is_end = found.older is None and found.further is None
        has_older = is_end and has_old_messages(session, account_id)
        is_empty = not lines and not has_older and not has_messages(session, account_id)
        choices = None if is_fragment else load_choices(session, account_id, filters)
    page = render_template(
        "activity/_list.html" if is_fragment else "activity/index.html",
        is_fragment=is_fragment,
        filters=filters,
        choices=choices,
        lines=lines,
        is_empty=is_empty,
        kept_days=installation().settings.message_retention_days if has_older else None,
        older=_address(filters, found.older),
        further=_address(filters, found.further),
        looked_back_to=found.looked_back_to,
        window=WINDOW,
        is_whole=False,
        **({} if is_fragment or is_empty else waiting_views.about_waiting()),
        newest=filters.below(None).address(),
        export=filters.below(None).address("/activity/export"),
        moment=now(),
    )
    response = make_response(page)
    if is_fragment:
        # Going back leads to what was chosen, and not to every letter that was typed.
        is_typing = request.headers.get("HX-Trigger-Name") == "q"
        header = "HX-Replace-Url" if is_typing else "HX-Push-Url"
        response.headers[header] = filters.address()
    return response


def _address(filters: Filters, before: int | None) -> str:
    return "" if before is None else filters.below(before).address()
