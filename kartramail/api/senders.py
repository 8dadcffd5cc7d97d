"""`/api/v1/senders/check`: the rules of the sender form, for programs. Others: saved_senders."""

from typing import Any

from flask import jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field

from kartramail.api.access import SECURITY, Problem, api_account
from kartramail.rules.verdict import Status, Verdict
from kartramail.senders.judging import judge_mail_server, judge_typed
from kartramail.web.access import installation

blueprint = APIBlueprint(
    "api_senders",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="senders", description="Who messages come from.")],
    abp_security=SECURITY,
    abp_responses={401: Problem, 422: Problem},
)


class SenderToCheck(BaseModel):
    """A sender as it would be typed. Without `sender_name` the name is not judged."""

    model_config = ConfigDict(extra="forbid")

    sender_name: str | None = Field(default=None, max_length=10_000)
    send_from: str = Field(max_length=10_000)
    reply_to: str | None = Field(default=None, max_length=10_000)


class FieldVerdict(BaseModel):
    """What the rules say of one field. `suggestion` is a whole value that would be better."""

    status: Status
    code: str | None
    message: str
    suggestion: str | None


class SenderChecked(BaseModel):
    """`ok` is false when one field could not be saved."""

    ok: bool
    fields: dict[str, FieldVerdict]


@blueprint.post(
    "/senders/check", summary="Judge a sender by the rules", responses={200: SenderChecked}
)
def check_sender(body: SenderToCheck) -> Any:
    """The verdict on each field, the look-up of the reply-to's mail server included."""
    typed = {
        "sender_name": body.sender_name or "",
        "send_from": body.send_from,
        "reply_to": body.reply_to or "",
    }
    judged = judge_typed(installation(), api_account(), typed)
    verdicts = dict(judged.verdicts) | {"reply_to": judge_mail_server(installation(), judged)}
    if body.sender_name is None:
        del verdicts["sender_name"]
    return jsonify(
        ok=not any(verdict.is_error for verdict in verdicts.values()),
        fields={name: _show(verdict) for name, verdict in verdicts.items()},
    )


def _show(verdict: Verdict) -> dict[str, str | None]:
    return {
        "status": verdict.status.value,
        "code": verdict.code,
        "message": verdict.message,
        "suggestion": verdict.suggestion,
    }
