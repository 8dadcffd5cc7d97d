"""One message: what became of it, who it came from and why, and the mail (R-LOG, R-RESOLVE)."""

from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, abort, render_template, request
from flask.typing import ResponseReturnValue

from kartramail.activity.mail import Mail, build_mail
from kartramail.activity.not_here import no_such_message
from kartramail.activity.opened import Opened, open_message
from kartramail.clock import now
from kartramail.ids import read_id, show_id
from kartramail.outbox.old_messages import erased_words
from kartramail.web.access import database, installation, person, signed_in_required

blueprint = Blueprint("message", __name__, url_prefix="/<shown_id>")

_LOOKS_FOR = timedelta(minutes=2)
"""How long a page follows a message by itself."""

_LAST_SECOND = 253_402_300_799  # of the year 9999

# Mail runs no script, loads nothing from the internet and sends no form. A link in it opens in a
# tab of its own, outside this sandbox.
_FRAME_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; img-src data:; "
    "style-src 'unsafe-inline'; font-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
_BEFORE_MAIL = (
    '<!doctype html><meta charset="utf-8"><base target="_blank">'
    "<style>html { background: #fff; color: #000 }</style>"  # as most mail takes for granted
)


@blueprint.get("")
@signed_in_required
def message(shown_id: str) -> ResponseReturnValue:
    """What became of it, who it came from and why, and the mail as its recipient sees it."""
    opened = _open(shown_id)
    mail = _build(opened)
    has_html = mail.letter is not None and mail.letter.html is not None
    return _page("html" if has_html else "text", opened, mail)


@blueprint.get("/text")
@signed_in_required
def text(shown_id: str) -> ResponseReturnValue:
    """Its text part."""
    opened = _open(shown_id)
    return _page("text", opened, _build(opened))


@blueprint.get("/headers")
@signed_in_required
def headers(shown_id: str) -> ResponseReturnValue:
    """Its headers, decoded."""
    opened = _open(shown_id)
    return _page("headers", opened, _build(opened))


@blueprint.get("/html")
@signed_in_required
def frame(shown_id: str) -> ResponseReturnValue:
    """Its HTML part, for the frame in the page, under a policy of its own."""
    letter = _build(_open(shown_id)).letter
    if letter is None or letter.html is None:
        abort(404)
    response = Response(_BEFORE_MAIL + letter.html)
    response.headers["Content-Security-Policy"] = _FRAME_POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@blueprint.get("/state")
@signed_in_required
def state(shown_id: str) -> ResponseReturnValue:
    """What became of it, alone: 204 while it looks as the page that asks already shows it."""
    opened = _open(shown_id)
    since = request.args.get("since", 0, type=int)
    is_over = now() - datetime.fromtimestamp(min(max(since, 0), _LAST_SECOND), UTC) > _LOOKS_FOR
    if request.args.get("seen") == opened.version and not is_over:
        return "", 204
    follow = "" if opened.is_final or is_over else _follow(opened, since)
    return render_template("activity/_state.html", **_about(opened, _build(opened)), follow=follow)


def _open(shown_id: str) -> Opened:
    message_id = read_id(shown_id)
    domain = installation().settings.platform_domain
    opened = None
    if message_id is not None:
        with database().reading() as session:
            opened = open_message(session, person().account_id, message_id, domain)
    if opened is None:
        no_such_message()
    return opened


def _build(opened: Opened) -> Mail:
    settings = installation().settings
    if opened.is_erased:
        why_not = erased_words(settings.message_retention_days)
        signed_by = opened.sender.signing_domain or settings.platform_domain
        return Mail(None, why_not, signed_by, "Old message")
    return build_mail(settings, opened.message, opened.sender, opened.words)


def _page(view: str, opened: Opened, mail: Mail) -> str:
    follow = "" if opened.is_final else _follow(opened, int(now().timestamp()))
    return render_template(
        "activity/message.html",
        **_about(opened, mail),
        follow=follow,
        view=view,
        mail=mail,
        letter=mail.letter,
        tabs=_tabs(opened, mail),
    )


def _about(opened: Opened, mail: Mail) -> dict[str, Any]:
    moment = now()
    sentence, advice = opened.state_words(moment)
    return {
        "opened": opened,
        "message": opened.message,
        "path": _path(opened),
        "shown_id": show_id(opened.message.id),
        "subject": mail.subject,
        "preview": mail.preview,
        "sentence": sentence,
        "advice": "" if opened.is_erased else advice,
        "moment": moment,
        "waits_in_line": opened.waits_in_line(moment),
        "can_be_hurried": opened.can_be_hurried(moment),
        "can_be_cancelled": opened.can_be_cancelled(moment),
    }


def _path(opened: Opened) -> str:
    return f"/activity/{show_id(opened.message.id)}"


def _follow(opened: Opened, since: int) -> str:
    return f"{_path(opened)}/state?seen={opened.version}&since={since}"


def _tabs(opened: Opened, mail: Mail) -> list[tuple[str, str]]:
    """They lead to where the mail stands in the page, below what became of it."""
    path = _path(opened)
    has_html = mail.letter is not None and mail.letter.html is not None
    bodies = [("Message", path), ("Text", f"{path}/text")] if has_html else [("Text", path)]
    return [(word, f"{to}#mail") for word, to in (*bodies, ("Headers", f"{path}/headers"))]
