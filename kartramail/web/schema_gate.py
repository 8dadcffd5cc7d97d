"""No page of an old schema: the web refuses it with one clear line, as the worker does (R-OPS).

`create_app` touches no database, so the first request looks, and every one until it is well.
"""

import structlog
from flask import Flask, abort, request

from kartramail import schema
from kartramail.errors import SchemaError
from kartramail.web.access import database

log = structlog.get_logger()

_ALWAYS = frozenset({"static", "ops.health", "ops.readiness", "ops.metrics"})


def init_schema_gate(app: Flask) -> None:
    """Answer 503 until the database is at the newest schema."""
    is_well = False

    @app.before_request
    def refuse_old_schema() -> None:
        nonlocal is_well
        if is_well or request.endpoint in _ALWAYS:
            return
        try:
            schema.check(database())
        except SchemaError as error:
            log.error("schema_is_old", words=str(error))
            abort(503, str(error))
        is_well = True
