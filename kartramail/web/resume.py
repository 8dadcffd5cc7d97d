"""What was typed into a form whose session was lost, carried through the sign-in page (R-EDIT).

A view that finds nobody signed in on a POST answers with the sign-in page and the typed values:

    if not is_sent_from_here():
        return redirect(request.path, 303)
    form = log_in_form(resume=stash(request.path, {"sender_name": …}))
    return render_template("accounts/log_in.html", form=form), 401

After sign-in the browser comes to `<path>?resume=<signed>`. There the view's GET shows the values
in its form and saves nothing by itself, so that another site cannot make it save:

    kept = resumed(request.path, request.args.get("resume"))

The text is signed and good for one browser only: it names a random value which lies in that
browser's session, so that nobody can plant values by a link. It is not secret: put no passwords
into it.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import current_app, request, session
from itsdangerous import BadData, URLSafeTimedSerializer

from kartramail.web.opened_in import FIELD, OtherAccount, other_account, working_in

MAX_LENGTH = 3000
"""Characters. It travels in an address, and servers take about 4,000 for the whole line."""

MAX_AGE = 24 * 60 * 60
"""Seconds."""

BROWSER_KEY = "resume_key"
"""Where the session keeps the value that this browser's texts name; it survives signing in."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What a text carries. `other` is the account the form was opened in, if it is another now."""

    path: str
    fields: dict[str, str]
    opened_in: str
    other: OtherAccount | None = None


def stash(path: str, fields: Mapping[str, str], *, opened_in: str | None = None) -> str:
    """The path and what was typed there, signed; empty where it is too much to carry.

    `opened_in` names the account of the form; without it, the form that was sent says so.
    """
    kept = {
        "path": path,
        "fields": dict(fields),
        "opened_in": opened_in or request.form.get(FIELD) or working_in(),
        "browser": session.setdefault(BROWSER_KEY, secrets.token_urlsafe(16)),
    }
    text = _serializer().dumps(kept)
    text = text if isinstance(text, str) else text.decode()
    return text if len(text) <= MAX_LENGTH else ""


def unstash(text: str | None) -> Resumed | None:
    """What `stash` was given; None where it was another browser's, not ours or older than a day."""
    if not text or len(text) > MAX_LENGTH:
        return None
    try:
        kept = _serializer().loads(text, max_age=MAX_AGE)
    except BadData:
        return None
    own = session.get(BROWSER_KEY)
    if not own or not secrets.compare_digest(str(kept["browser"]), str(own)):
        return None
    return Resumed(kept["path"], kept["fields"], kept["opened_in"])


def resumed(path: str, text: str | None) -> Resumed | None:
    """What was typed into the form at `path` by this person, where that is what the text carries.

    What somebody else typed in this browser, in an account of theirs, is not shown.
    """
    kept = unstash(text)
    if kept is None or kept.path != path:
        return None
    other = other_account(kept.opened_in)
    return None if other and not other.is_theirs else replace(kept, other=other)


def with_resume(text: str | None) -> str | None:
    """The address that shows what the text carries, or None where it carries nothing."""
    kept = unstash(text)
    return f"{kept.path}?{urlencode({'resume': text})}" if kept else None


def is_sent_from_here() -> bool:
    """False for a form of another site, which comes without our cookie though its owner has one.

    It must neither plant its values nor replace the session of somebody who is signed in.
    """
    return request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="resume")
