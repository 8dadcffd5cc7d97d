"""Who may see a page, and what every view asks for: the installation, the person, the account."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast
from urllib.parse import urlsplit

from flask import Flask, abort, current_app, redirect, request, url_for
from flask_login import LoginManager, current_user
from werkzeug.wrappers import Response

from kartramail.accounts.people import Person, glance_at_person
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.web.fragments import wants_fragment

P = ParamSpec("P")
R = TypeVar("R")

login_manager = LoginManager()


def installation() -> Installation:
    """The installation that this application serves."""
    return cast(Installation, current_app.extensions["kartramail"])


def database() -> Database:
    """The installation's database."""
    return installation().db


def person() -> Person:
    """Who is signed in; only inside a view that requires it."""
    return cast(Person, current_user._get_current_object())


def signed_in_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Send strangers to the sign-in page, and back here afterwards."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        if not current_user.is_authenticated:
            return cast(Response, login_manager.unauthorized())
        return view(*args, **kwargs)

    guarded.needs_sign_in = True  # type: ignore[attr-defined]
    return guarded


def needs_sign_in(view: Callable[..., Any]) -> bool:
    """Whether the view sends strangers to the sign-in page by itself."""
    return bool(getattr(view, "needs_sign_in", False))


def owner_required(view: Callable[P, R]) -> Callable[P, R | Response]:
    """Only the account's owner passes; a member is told so (403)."""

    @wraps(view)
    @signed_in_required
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
        refuse_members()
        return view(*args, **kwargs)

    return cast(Callable[P, R | Response], guarded)


def refuse_members() -> None:
    """Tell whoever is signed in and owns not the account that they cannot do that (403)."""
    if not person().is_owner:
        abort(403, "Only an owner of this account can change that. Ask one of them.")


def init_access(app: Flask) -> None:
    """Teach flask-login how a cookie becomes a person."""
    login_manager.init_app(app)
    login_manager.session_protection = None  # cookies outlive a change of network or browser

    @login_manager.user_loader
    def load(sign_in_id: str) -> Person | None:
        if not sign_in_id.isdecimal():
            return None
        return glance_at_person(database(), int(sign_in_id))

    @login_manager.unauthorized_handler
    def send_to_sign_in() -> Any:
        if wants_fragment():
            return "", 401  # the page says so itself, and keeps what was typed into it
        return redirect(url_for("accounts.log_in", next=_way_back()))


def _way_back() -> str:
    """The page to show after sign-in: the one asked for, or the one whose form was sent."""
    if request.method in ("GET", "HEAD"):
        return request.full_path.rstrip("?")
    sent_from = urlsplit(request.referrer or "")
    adapter = current_app.create_url_adapter(request)
    is_page = adapter is not None and adapter.test(sent_from.path, method="GET")
    return sent_from.path if is_page and sent_from.netloc == request.host else "/"
