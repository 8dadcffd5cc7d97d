"""Error pages: what happened, why, and what to do (R-WORDS); problems as JSON under /api/."""

from typing import Any

import structlog
from flask import Flask, Response, jsonify, render_template, request
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from kartramail.accounts.authentication import wait_in_words
from kartramail.errors import NotFound
from kartramail.web.waiting import wait_of_this_request

log = structlog.get_logger()

_WORDS = {
    400: ("That request could not be read", "Go back, reload the page and try again."),
    403: ("You cannot do that here", "Ask an owner of the account, or sign in as someone else."),
    404: (
        "This page does not exist",
        "It may have moved, or belong to another account. Start again from the first page.",
    ),
    405: ("This page cannot be used that way", "Start again from the first page."),
    409: ("Somebody else changed this meanwhile", "Reload the page to see what is there now."),
    413: ("That is too large", "Send less at a time."),
    429: ("That was a little too often", "Wait a minute, then try again."),
    500: (
        "Something went wrong on our side",
        "Nothing you saved is lost. Try again; if it stays, tell the operator.",
    ),
    503: ("Not available just now", "Try again in a minute."),
}


def init_errors(app: Flask) -> None:
    """One handler for every failure that reaches the top."""

    @app.errorhandler(HTTPException)
    def show_http_error(error: HTTPException) -> Any:
        if error.response is not None or error.code is None or error.code < 400:
            return error
        return _answer(error.code, error)

    @app.errorhandler(NotFound)
    def show_not_found(error: NotFound) -> Any:
        return _answer(404, None)

    @app.errorhandler(CSRFError)
    def show_csrf_error(error: CSRFError) -> Any:
        return _answer(
            400,
            None,
            "The page you sent this from is no longer valid",
            "You were signed out or signed in again since it was opened. Reload it and try again.",
        )

    @app.errorhandler(Exception)
    def show_failure(error: Exception) -> Any:
        log.error("request_failed", endpoint=request.endpoint, exc_info=error)
        return _answer(500, InternalServerError())


def _answer(
    code: int, error: HTTPException | None, title: str | None = None, advice: str | None = None
) -> Any:
    words = _WORDS.get(code, ("That did not work", "Go back and try again."))
    title = title or words[0]
    advice = advice or _own_words(error) or _wait_in_words(code) or words[1]
    if request.path.startswith("/api/"):
        response = jsonify(type="about:blank", title=title, status=code, detail=advice)
        response.mimetype = "application/problem+json"
        response.status_code = code
    else:
        page = render_template("errors/error.html", code=code, title=title, advice=advice)
        response = Response(page, code)
    if code == 429 and error is not None and getattr(error, "retry_after", None):
        response.headers["Retry-After"] = str(error.retry_after)  # type: ignore[attr-defined]
    return response


def _wait_in_words(code: int) -> str | None:
    """How long to wait really, where a limit was exceeded."""
    wait = wait_of_this_request() if code == 429 else None
    return f"Wait {wait_in_words(wait)}, then try again." if wait is not None else None


def _own_words(error: HTTPException | None) -> str | None:
    """The sentence given to `abort`, where it is ours and not werkzeug's."""
    if error is None or error.description == type(error).description:
        return None
    return str(error.description) if error.code in (403, 404, 409, 503) else None
