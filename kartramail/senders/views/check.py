"""The form as one types: the message of one field (R-LIVE). Lean: it runs at each key stroke."""

from flask import Blueprint, Response, abort, get_template_attribute, request
from flask_login import current_user

from kartramail.ids import read_id
from kartramail.rules.sender_details import FIELDS, JudgedSender, fields_to_judge_again
from kartramail.rules.verdict import OK, Status, Verdict
from kartramail.senders.forms import HELP, SenderForm
from kartramail.senders.forms.picker import PREFIX
from kartramail.senders.judging import judge_mail_server, judge_typed
from kartramail.senders.service import load_gateway
from kartramail.senders.views.edit_page import find_low_delivery
from kartramail.web.access import database, installation, person
from kartramail.web.forms import keeps_input
from kartramail.web.fragments import wants_fragment
from kartramail.web.limits import by_person, limiter

blueprint = Blueprint("check", __name__)

PAGE_URL = "/settings/integrations/kartramail/check"
PICKER_URL = "/settings/senders/picker/check"
"""The fields inside a picker have names of their own, as they stand among another form's."""

_TYPING = "typing"  # what the page says of a field that one is still in


@blueprint.before_request
def refuse_strangers() -> tuple[str, int] | None:
    """No way to the sign-in page from here: it would take away what was typed."""
    return None if current_user.is_authenticated else ("", 401)


@blueprint.post(f"{PAGE_URL}/<field>")
@keeps_input  # it changes nothing; a page whose session was renewed goes on being checked
def check_field(field: str) -> Response:
    """The field's message, and the reply-to's where the send-from decides about it."""
    return _Check().field(field)


@blueprint.post(f"{PICKER_URL}/<field>")
@keeps_input
def check_in_picker(field: str) -> Response:
    """The same for a sender that is added inside a picker."""
    return _Check(PREFIX).field(field)


@blueprint.post(f"{PAGE_URL}/reply_to/mail-server")
@keeps_input
@limiter.limit("120 per minute", key_func=by_person)
def check_mail_server() -> Response:
    """The reply-to's message after the look-up that the keystroke does not wait for (R-REPLY)."""
    return _Check().mail_server()


@blueprint.post(f"{PICKER_URL}/reply_to/mail-server")
@keeps_input
@limiter.limit("120 per minute", key_func=by_person)
def check_mail_server_in_picker() -> Response:
    """The same for a sender that is added inside a picker."""
    return _Check(PREFIX).mail_server()


class _Check:
    """What was typed, judged. `prefix` begins the names of the fields on the page."""

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._url = PICKER_URL if prefix else PAGE_URL
        self._typed = {name: request.form.get(prefix + name, "") for name in FIELDS}
        self._judged: JudgedSender = judge_typed(installation(), person().account_id, self._typed)

    def field(self, field: str) -> Response:
        if field not in FIELDS:
            abort(404)
        is_typing = request.headers.get("X-Field-Moment") == _TYPING
        parts = [self._message("message", field, is_typing=is_typing)]
        for other in fields_to_judge_again(field):
            if self._typed[other]:
                parts.append(self._message("message_beside", other, is_typing=False))
        if field == "send_from" and not is_typing and wants_fragment():
            parts.append(self._tick())
        return Response("".join(parts))

    def mail_server(self) -> Response:
        verdict = judge_mail_server(installation(), self._judged)
        if verdict == OK and self._judged.reply_to_address is not None:
            domain = self._judged.reply_to_address.display.partition("@")[2]
            verdict = Verdict(Status.OK, message=f"Replies can arrive at {domain}.")
        return Response(self._render("message", "reply_to", verdict))

    def _tick(self) -> str:
        """The box that R-LOWDELIV asks for, or its empty place. Not asked at each key stroke."""
        address = self._judged.send_from_address
        is_sound = address is not None and not self._judged.send_from.is_error
        asked = None
        if address is not None and is_sound:
            asked = find_low_delivery(address, None if self._prefix else _sender_id())
        render = get_template_attribute("senders/_low_delivery.html", "tick_beside")
        form = SenderForm(formdata=None, prefix=self._prefix)
        return str(render(form.accept_low_delivery, asked, self._prefix))

    def _message(self, macro: str, field: str, *, is_typing: bool) -> str:
        judged, verdict = self._judged, self._judged.verdict_of(field)
        if is_typing and judged.is_unfinished(field):
            return self._render(macro, field, None)
        needs_look_up = field == "reply_to" and judged.reply_to_address and not verdict.is_error
        follow = f"{self._url}/reply_to/mail-server" if needs_look_up else ""
        return self._render(macro, field, verdict, follow=follow, judged=self._typed[field])

    def _render(self, macro: str, field: str, verdict: Verdict | None, **more: str) -> str:
        is_silent = verdict and verdict.status is Status.OK and not verdict.message
        render = get_template_attribute("_macros/forms.html", macro)
        return str(
            render(self._prefix + field, None if is_silent else verdict, HELP[field], **more)
        )


def _sender_id() -> int | None:
    """The sender that the form is about, as the page says it; None for a new one."""
    shown = request.form.get("sender", "")
    if shown:
        return read_id(shown)
    with database().reading() as session:
        return load_gateway(session, person().account_id).sender_id
