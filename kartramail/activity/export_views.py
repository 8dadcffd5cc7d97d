"""The list of messages as a file, with the filters of the page (R-LOG)."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from kartramail.activity.export import write_csv
from kartramail.activity.export_rows import read_chunks
from kartramail.activity.filters import read_filters
from kartramail.clock import now
from kartramail.web.access import database, person, signed_in_required
from kartramail.web.limits import by_person, limiter
from kartramail.web.reading import in_zone

blueprint = Blueprint("export", __name__)


@blueprint.get("/export")
@signed_in_required
@limiter.limit("6 per minute; 60 per hour", key_func=by_person)
def export() -> ResponseReturnValue:
    """Written while it is read from the database, so that neither grows with its length."""
    chunks = read_chunks(database(), person().account_id, read_filters(request.args))
    response = Response(write_csv(chunks), content_type="text/csv; charset=utf-8")
    name = f"activity-{in_zone(now()):%Y-%m-%d}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["X-Accel-Buffering"] = "no"  # a proxy in front passes it on as it comes
    return response
