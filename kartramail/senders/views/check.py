"""The form as one types: the message of one field (R-LIVE). Lean: it runs at each key stroke."""

from flask import Blueprint, Response, abort, get_template_attribute, request
from flask_login import current_user

from kartramail.rules.sender_details import FIELDS, JudgedSender, fields_to_judge_again
from kartramail.rules.verdict import OK, Status, Verdict
from kartramail.senders.forms import HELP, SenderForm
from kartramail.senders.judging import judge_mail_server, judge_typed
from kartramail.senders.views.edit_page import find_low_delivery
from kartramail.web.access import installation, person
from kartramail.web.forms import keeps_input
from kartramail.web.limits import by_person, limiter

blueprint = Blueprint("check", __name__, url_prefix="/settings/integrations/kartramail/check")

MAIL_SERVER_URL = "/settings/integrations/kartramail/check/reply_to/mail-server"
_TYPING = "typing"  # what the page says of a field that one is still in


@blueprint.before_request
def refuse_strangers() -> tuple[str, int] | None:
    """No way to the sign-in page from here: it would take away what was typed."""
    return None if current_user.is_authenticated else ("", 401)


@blueprint.post("/<field>")
@keeps_input  # it changes nothing; a page whose session was renewed goes on being checked
def check_field(field: str) -> Response:
    """The field's message, and the reply-to's where the send-from decides about it."""
    if field not in FIELDS:
        abort(404)
    judged = _judge()
    is_typing = request.headers.get("X-Field-Moment") == _TYPING
    parts = [_message("message", field, judged, is_typing=is_typing)]
    for other in fields_to_judge_again(field):
        if request.form.get(other):
            parts.append(_message("message_beside", other, judged, is_typing=False))
    if field == "send_from" and not is_typing and "HX-Request" in request.headers:
        parts.append(_tick(judged))
    return Response("".join(parts))


@blueprint.post("/reply_to/mail-server")
@keeps_input
@limiter.limit("120 per minute", key_func=by_person)
def check_mail_server() -> Response:
    """The reply-to's message after the look-up that the keystroke does not wait for (R-REPLY)."""
    judged = _judge()
    verdict = judge_mail_server(installation(), judged)
    if verdict == OK and judged.reply_to_address is not None:
        domain = judged.reply_to_address.display.partition("@")[2]
        verdict = Verdict(Status.OK, message=f"Replies can arrive at {domain}.")
    return Response(_render("message", "reply_to", verdict))


def _judge() -> JudgedSender:
    typed = {name: request.form.get(name, "") for name in FIELDS}
    return judge_typed(installation(), person().account_id, typed)


def _tick(judged: JudgedSender) -> str:
    """The box that R-LOWDELIV asks for, or its empty place. Not asked for at each key stroke."""
    address = judged.send_from_address
    is_sound = address is not None and not judged.send_from.is_error
    asked = find_low_delivery(address) if address is not None and is_sound else None
    render = get_template_attribute("senders/_low_delivery.html", "tick_beside")
    return str(render(SenderForm().accept_low_delivery, asked))


def _message(macro: str, field: str, judged: JudgedSender, *, is_typing: bool) -> str:
    verdict = judged.verdict_of(field)
    if is_typing and judged.is_unfinished(field):
        return _render(macro, field, None)
    needs_look_up = field == "reply_to" and judged.reply_to_address and not verdict.is_error
    follow = MAIL_SERVER_URL if needs_look_up else ""
    return _render(macro, field, verdict, follow=follow, judged=request.form.get(field, ""))


def _render(macro: str, field: str, verdict: Verdict | None, **more: str) -> str:
    shown = None if verdict and verdict.status is Status.OK and not verdict.message else verdict
    render = get_template_attribute("_macros/forms.html", macro)
    return str(render(field, shown, HELP[field], **more))
