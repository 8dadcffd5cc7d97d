"""Forms that never lose what was typed: a failed CSRF check is shown in the form, not instead."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, request
from flask_wtf.csrf import CSRFError, CSRFProtect

csrf = CSRFProtect()
V = TypeVar("V", bound=Callable[..., Any])

_kept: set[Callable[..., Any]] = set()


def keeps_input(view: V) -> V:
    """For a view whose FlaskForm checks the token itself and shows the fault beside the input.

    The view must act only after `form.validate_on_submit()`, which fails without a good token.
    """
    _kept.add(view)
    return view


def init_forms(app: Flask) -> None:
    """Check the CSRF token of every change that a cookie authenticates (R-SAFE)."""
    # A form that lay open over night must still save: the token lives as long as the session.
    app.config.update(
        WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_SSL_STRICT=False, WTF_CSRF_CHECK_DEFAULT=False
    )
    csrf.init_app(app)

    @app.before_request
    def check_token() -> None:
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") or request.endpoint is None:
            return
        if request.path.startswith("/api/"):
            return  # a key authenticates there, never a cookie
        if current_app.view_functions[request.endpoint] not in _kept:
            csrf.protect()


def has_lost_token(form: Any) -> bool:
    """True when the form was refused only because its session is gone or was renewed."""
    return bool(form.errors.get("csrf_token")) and not g.get("csrf_valid", False)


__all__ = ["CSRFError", "csrf", "has_lost_token", "init_forms", "keeps_input"]
