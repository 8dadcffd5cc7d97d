"""The test inbox: mail that the catcher took in, for whoever sits at this machine (R-TRANSPORT).

It can be read without signing in, as a newcomer needs it to confirm their address. So it exists
only with the catcher, on a loopback BASE_URL, for requests of this machine; elsewhere it is a 404.
"""

from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_login import current_user

from kartramail.clock import now
from kartramail.ids import read_id, show_id
from kartramail.sandbox.inbox import MOST, Entry, Inbox
from kartramail.sandbox.letter import Letter, decode_source, read_letter, split_links
from kartramail.web.access import installation
from kartramail.web.context import is_catcher_visible

blueprint = Blueprint("sandbox", __name__, url_prefix="/catcher")

_PAGE = 50
_MOST_SOURCE = 1_000_000  # bytes of a source that are shown; the download has all

# Mail runs no script, loads nothing from the internet and sends no form. A link in it opens in a
# tab of its own, outside this sandbox, so that a newcomer can confirm their address by one click.
_FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_BEFORE_MAIL = (
    '<!doctype html><meta charset="utf-8"><base target="_blank">'
    "<style>html { background: #fff; color: #000 }</style>"  # as most mail takes for granted
)


class Open(NamedTuple):
    """One message, opened."""

    entry: Entry
    raw: bytes
    letter: Letter


@blueprint.before_request
def show_only_here() -> None:
    """Hide everything from everybody else."""
    if not is_catcher_visible(installation().settings):
        abort(404)


@blueprint.context_processor
def page_names() -> dict[str, Any]:
    """What the pages share; a stranger gets a frame with nothing of an account in it."""
    layout = "base.html" if current_user.is_authenticated else "sandbox/_stranger.html"
    return {"layout": layout, "show_id": show_id, "now": now(), "most": MOST}


@blueprint.get("")
def index() -> str:
    """The list, newest first; it follows by itself what arrives."""
    return render_template("sandbox/index.html", **_listing())


@blueprint.get("/letters")
def letters() -> Response:
    """The list alone: 204 while it looks as the page that asks already shows it."""
    found = _listing()
    if request.args.get("version") == found["version"]:
        return Response(status=204)
    response = Response(render_template("sandbox/_letters.html", **found))
    if "version" not in request.args:  # a search, not a look whether something came
        response.headers["HX-Replace-Url"] = _address(q=found["q"])
    return response


@blueprint.get("/<letter>")
def letter(letter: str) -> str:
    """One message as its reader sees it."""
    opened = _open(letter)
    inbox().mark_seen(opened.entry.id)
    return _page("html" if opened.letter.html is not None else "text", opened)


@blueprint.get("/<letter>/text")
def text(letter: str) -> str:
    """Its text part; links of this installation can be followed."""
    return _page("text", _open(letter))


@blueprint.get("/<letter>/headers")
def headers(letter: str) -> str:
    """All of its headers, decoded."""
    return _page("headers", _open(letter))


@blueprint.get("/<letter>/source")
def source(letter: str) -> str:
    """The message as it came over the wire."""
    return _page("source", _open(letter))


@blueprint.get("/<letter>/html")
def frame(letter: str) -> Response:
    """Its HTML part, for the frame in the page, under a policy of its own."""
    html = _open(letter).letter.html
    if html is None:
        abort(404)
    response = Response(_BEFORE_MAIL + html)
    response.headers["Content-Security-Policy"] = _FRAME_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/<letter>/attachments/<int:number>")
def attachment(letter: str, number: int) -> Response:
    """One attachment, counted from 1, to be saved and never shown here."""
    attachments = _open(letter).letter.attachments
    if not 1 <= number <= len(attachments):
        abort(404)
    found = attachments[number - 1]
    return _download(found.data, found.name)


@blueprint.get("/<letter>/download")
def download(letter: str) -> Response:
    """The whole message as a file that mail programs open."""
    return _download(_open(letter).raw, f"{letter}.eml")


@blueprint.post("/empty")
def empty() -> Any:
    """Throw all messages away."""
    inbox().empty()
    flash("The test inbox is empty.", "ok")
    return redirect(url_for("sandbox.index"), 303)


def inbox() -> Inbox:
    """The test inbox of this installation, opened once a process, and not before a fork."""
    name = "kartramail_inbox"
    if name not in current_app.extensions:
        opened = Inbox(installation().settings.catcher_path)
        if current_app.extensions.setdefault(name, opened) is not opened:
            opened.close()  # another thread was first
    found: Inbox = current_app.extensions[name]
    return found


def _listing() -> dict[str, Any]:
    q = request.args.get("q", "").strip()[:200]
    before = read_id(request.args.get("before", ""))
    version = inbox().version()  # before the rows, so that what comes between is noticed next time
    entries = inbox().entries(search=q, before=before, limit=_PAGE + 1)
    older = show_id(entries[_PAGE - 1].id) if len(entries) > _PAGE else None
    return {
        "q": q,
        "version": version,
        "entries": entries[:_PAGE],
        "is_newest": before is None,
        "poll": url_for("sandbox.letters", version=version, q=q),
        "older": older and _address(q=q, before=older),
    }


def _address(**query: str) -> str:
    filled = urlencode({name: value for name, value in query.items() if value})
    return url_for("sandbox.index") + (f"?{filled}" if filled else "")


def _open(letter: str) -> Open:
    letter_id = read_id(letter)
    entry = inbox().entry(letter_id) if letter_id is not None else None
    raw = inbox().source(entry.id) if entry else None
    if entry is None or raw is None:
        abort(404, "This message is not in the test inbox any more.")
    return Open(entry, raw, read_letter(raw))


def _page(view: str, opened: Open) -> str:
    shown = show_id(opened.entry.id)
    return render_template(
        "sandbox/letter.html",
        view=view,
        shown=shown,
        entry=opened.entry,
        letter=opened.letter,
        tabs=_tabs(shown, opened.letter),
        text=split_links(opened.letter.text or "", installation().settings.base_url),
        source=decode_source(opened.raw[:_MOST_SOURCE]) if view == "source" else "",
        is_cut=len(opened.raw) > _MOST_SOURCE,
    )


def _tabs(shown: str, letter: Letter) -> list[tuple[str, str]]:
    first = url_for("sandbox.letter", letter=shown)
    text = [("Text", url_for("sandbox.text", letter=shown))]
    bodies = [("Message", first), *text] if letter.html is not None else [("Text", first)]
    return [
        *bodies,
        ("Headers", url_for("sandbox.headers", letter=shown)),
        ("Source", url_for("sandbox.source", letter=shown)),
    ]


def _download(data: bytes, name: str) -> Response:
    return send_file(
        BytesIO(data), "application/octet-stream", as_attachment=True, download_name=name
    )
