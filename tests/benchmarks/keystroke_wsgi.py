"""KartraMail, the bare form and an empty answer in one gunicorn, for the keystroke benchmark."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from werkzeug.middleware.dispatcher import DispatcherMiddleware

from kartramail import create_app
from tests.benchmarks.bare_form import make_bare_app


def say_nothing(_environment: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The ceiling: what gunicorn and the load generator can do without an application."""
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "0")])
    return [b""]


app = DispatcherMiddleware(create_app(), {"/bare": make_bare_app(), "/nothing": say_nothing})
