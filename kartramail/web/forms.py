"""Forms that never lose what was typed: a failed CSRF check is shown in the form, not instead."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, current_app, g, render_template, request
from flask_login import current_user
from flask_wtf.csrf import CSRFError, CSRFProtect

from kartramail.web.access import needs_sign_in
from kartramail.web.fragments import wants_fragment
from kartramail.web.opened_in import form_of_other_account, is_in_any_account

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
    def check_form() -> Any:
        if request.method in ("GET", "HEAD", "OPTIONS", "TRACE") or request.endpoint is None:
            return None
        if request.path.startswith("/api/"):
            return None  # a key authenticates there, never a cookie
        view = current_app.view_functions[request.endpoint]
        if view in _kept or (needs_sign_in(view) and not current_user.is_authenticated):
            return None  # the view itself says what is wrong, or asks to sign in
        csrf.protect()
        if (
            current_user.is_authenticated
            and not is_in_any_account(view)
            and form_of_other_account()
        ):
            return _refuse_other_account()
        return None


def _refuse_other_account() -> Any:
    """Nothing is done in one account by a button that was shown in another."""
    is_fragment = wants_fragment()
    name = "errors/_other_account.html" if is_fragment else "errors/other_account.html"
    return render_template(name, code=409), 409


def has_lost_token(form: Any) -> bool:
    """True when the form was refused only because its session is gone or was renewed."""
    return bool(form.errors.get("csrf_token")) and not g.get("csrf_valid", False)


__all__ = ["CSRFError", "csrf", "has_lost_token", "init_forms", "keeps_input"]
