"""What was typed into a form whose session was lost, carried through the sign-in page (R-EDIT).

A view that finds nobody signed in on a POST answers with the sign-in page and the typed values:

    form = log_in_form(resume=stash(request.path, {"sender_name": …}))
    return render_template("accounts/log_in.html", form=form), 401

After sign-in the browser comes to `<path>?resume=<signed>`. There the view's GET shows the values
in its form and saves nothing by itself, so that another site cannot make it save:

    resumed = resumed_fields(request.path, request.args.get("resume"))

The text is signed, not secret, and bound to nothing: put no passwords into it.
"""

from collections.abc import Mapping
from urllib.parse import urlencode

from flask import current_app
from itsdangerous import BadData, URLSafeTimedSerializer

MAX_LENGTH = 3000
"""Characters. It travels in an address, and servers take about 4,000 for the whole line."""

MAX_AGE = 24 * 60 * 60
"""Seconds."""


def stash(path: str, fields: Mapping[str, str]) -> str:
    """The path and what was typed there, signed; empty where it is too much to carry."""
    text = _serializer().dumps({"path": path, "fields": dict(fields)})
    text = text if isinstance(text, str) else text.decode()
    return text if len(text) <= MAX_LENGTH else ""


def unstash(text: str | None) -> tuple[str, dict[str, str]] | None:
    """What `stash` was given, or None where the text is not ours or older than a day."""
    if not text or len(text) > MAX_LENGTH:
        return None
    try:
        kept = _serializer().loads(text, max_age=MAX_AGE)
    except BadData:
        return None
    return kept["path"], kept["fields"]


def resumed_fields(path: str, text: str | None) -> dict[str, str]:
    """What was typed into the form at `path`, where that is what the text carries; else nothing."""
    kept = unstash(text)
    return kept[1] if kept and kept[0] == path else {}


def with_resume(text: str | None) -> str | None:
    """The address that shows what the text carries, or None where it carries nothing."""
    kept = unstash(text)
    return f"{kept[0]}?{urlencode({'resume': text})}" if kept else None


def _serializer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="resume")
