"""The way in and out of a browser session, for every page that signs somebody in (R-SAFE)."""

import re
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec
from urllib.parse import urlsplit

from flask import make_response, request, session
from flask.typing import ResponseReturnValue
from flask_login import login_user, logout_user
from werkzeug.wrappers import Response

from kartramail.accounts.people import Person
from kartramail.web.resume import BROWSER_KEY, with_resume

P = ParamSpec("P")

# Browsers drop tabs and line breaks from addresses and read "\" as "/": "/\t/evil" is "//evil".
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\]")


def enter(person: Person) -> None:
    """Give this browser a fresh session for that sign-in.

    Of the one before stays only what says that a text to resume was made in this very browser.
    """
    browser_key = session.get(BROWSER_KEY)
    session.clear()
    if browser_key is not None:
        session[BROWSER_KEY] = browser_key
    login_user(person)
    session.permanent = True


def leave() -> None:
    """Forget who was signed in here. The sign-in itself is ended in the database."""
    logout_user()
    session.clear()


def local_path(text: str | None) -> str | None:
    """`text` when it is a path of this installation; None for anything that leads elsewhere."""
    if not text or not text.startswith("/") or text.startswith("//") or _UNSAFE.search(text):
        return None
    parts = urlsplit(text)
    return None if parts.scheme or parts.netloc or len(text) > 2000 else text


def landing(next_path: str | None, resume: str | None) -> str:
    """Where to go after signing in: back to what lay open, or to the page asked for, or home."""
    return with_resume(resume) or local_path(next_path) or "/"


def by_typed_address() -> str:
    """The key of a rate limit for one address, whoever types it, known or not."""
    return "address:" + request.form.get("email", "").strip().lower()[:320]


def without_referrer(view: Callable[P, ResponseReturnValue]) -> Callable[P, Response]:
    """For pages whose address holds a token: no other site gets to see it."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> Response:
        response = make_response(view(*args, **kwargs))
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return guarded
