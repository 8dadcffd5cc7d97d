"""Structured logs: one line an event, JSON on a server, readable on a terminal. No secrets."""

import logging
import sys
import time

import structlog
from flask import Flask, Response, g, request


def configure_logs() -> None:
    """Send everything, the libraries' words too, through structlog to standard error."""
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer()
        if sys.stderr.isatty()
        else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        # One write a line: two would mix with those of other threads and processes.
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def init_logs(app: Flask) -> None:
    """Log each request by its rule, never by its path: paths carry tokens."""
    log = structlog.get_logger()

    @app.before_request
    def start() -> None:
        g.started = time.perf_counter()

    @app.after_request
    def record(response: Response) -> Response:
        if request.endpoint != "static" and response.status_code != 204:  # a poll, nothing new
            log.info(
                "request",
                method=request.method,
                rule=str(request.url_rule),
                status=response.status_code,
                ms=round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
            )
        return response
