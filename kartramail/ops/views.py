"""What watches over an installation asks here: /healthz, /readyz, /metrics (R-OPS)."""

from typing import cast

import structlog
from flask import Blueprint, Flask, Response, abort, current_app, jsonify
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_login import current_user
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from kartramail import schema
from kartramail.errors import SchemaError
from kartramail.installation import Installation
from kartramail.ops.metrics import Metrics, count_requests
from kartramail.web.access import database
from kartramail.web.local_requests import is_local_request

blueprint = Blueprint("ops", __name__)
log = structlog.get_logger()

_METRICS = "kartramail_metrics"


@blueprint.record
def measure_from_the_start(state: BlueprintSetupState) -> None:
    """Give the application its metrics."""
    app = cast(Flask, state.app)
    metrics = Metrics(cast(Installation, app.extensions["kartramail"]))
    app.extensions[_METRICS] = metrics
    count_requests(app, metrics)


@blueprint.get("/healthz")
def health() -> Response:
    """200 as long as this process answers at all. It asks nothing of the database."""
    return Response("ok\n", mimetype="text/plain")


@blueprint.get("/readyz")
def readiness() -> ResponseReturnValue:
    """200 when requests can be served; else 503 with the reason."""
    try:
        schema.check(database())
    except SchemaError as error:
        return jsonify(status="unavailable", reason=str(error)), 503
    except SQLAlchemyError as error:
        log.error("database_unreachable", error=str(error))
        return jsonify(status="unavailable", reason="The database does not answer."), 503
    return jsonify(status="ok")


@blueprint.get("/metrics")
def metrics() -> Response:
    """For Prometheus on this machine, and for operators who are signed in; hidden from others."""
    is_operator = current_user.is_authenticated and current_user.is_operator
    if not (is_operator or is_local_request()):
        abort(404)
    shown = cast(Metrics, current_app.extensions[_METRICS]).show()
    return Response(shown, content_type=CONTENT_TYPE_LATEST)
