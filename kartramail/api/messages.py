"""`/api/v1/messages`: hand in messages, see what became of one."""

import json
import re
from collections.abc import Iterator
from typing import Any

from flask import jsonify, request
from flask_openapi3 import APIBlueprint, Tag
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
    field_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from sqlmodel import Session

from kartramail.adapters.template_sandbox import MAX_SOURCE
from kartramail.api.access import SECURITY, Problem, api_account, refuse
from kartramail.errors import IdempotencyConflict
from kartramail.ids import read_id, show_id
from kartramail.messages.enqueue import (
    Enqueued,
    Fault,
    MessageRequest,
    enqueue_messages,
    find_faults,
)
from kartramail.messages.queries import describe_message, find_message
from kartramail.outbox.idempotency import (
    begin_once,
    earlier_answer,
    finish_once,
    hash_request,
)
from kartramail.rules.addresses import Address
from kartramail.rules.streams import Stream
from kartramail.web.access import database, installation

MOST = 1000
_NO_CHARACTER = re.compile("[\x00\ud800-\udfff]")
_ENDPOINT = "POST /messages"

blueprint = APIBlueprint(
    "api_messages",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="messages", description="Messages, and what became of them.")],
    abp_security=SECURITY,
    abp_responses={401: Problem, 422: Problem},
)


class NewMessage(BaseModel):
    """One message. `subject`, `text` and `html` are Liquid templates, filled from `variables`."""

    model_config = ConfigDict(extra="forbid")

    to: str = Field(max_length=1000)
    subject: str = Field(min_length=1, max_length=1000)
    text: str | None = Field(default=None, max_length=MAX_SOURCE)
    html: str | None = Field(default=None, max_length=MAX_SOURCE)
    stream: Stream = Stream.TRANSACTIONAL
    asset_id: str | None = None
    sender_id: str | None = None
    variables: dict[str, Any] = Field(default_factory=dict)

    @field_validator("subject", "text", "html")
    @classmethod
    def _can_be_kept(cls, value: str | None) -> str | None:
        """No database text holds NUL, and half of a surrogate pair is no character."""
        if value is not None and _NO_CHARACTER.search(value):
            raise ValueError("has a NUL or half a character (a lone surrogate) in it")
        return value

    @field_validator("variables", mode="before")
    @classmethod
    def _null_is_none_of_them(cls, value: Any) -> Any:
        return {} if value is None else value

    @field_validator("variables")
    @classmethod
    def _is_plain_json(cls, value: dict[str, Any]) -> dict[str, Any]:
        """Python reads Infinity and NaN, which are no JSON (RFC 8259 §6) and no database takes."""
        try:
            json.dumps(value, allow_nan=False)
        except ValueError:
            raise ValueError("holds a number that is not finite") from None
        except RecursionError:
            raise ValueError("is nested too deeply") from None
        if any(map(_NO_CHARACTER.search, _texts(value))):
            raise ValueError("has a NUL or half a character (a lone surrogate) in it")
        return value


def _texts(value: object) -> Iterator[str]:
    """Every text in JSON, the names of members too."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            waiting += [*part.keys(), *part.values()]
        elif isinstance(part, list):
            waiting += part


class NewMessages(BaseModel):
    """Up to 1,000 messages: all are taken, or none."""

    model_config = ConfigDict(extra="forbid")

    messages: list[NewMessage] = Field(min_length=1, max_length=MOST)


class NewMessageOrMessages(BaseModel):
    """One message, or `{"messages": [...]}` with up to 1,000."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """What the API's description says: the members of both, with their real bounds."""
        return handler(TypeAdapter(NewMessage | NewMessages).core_schema)


class MessagePath(BaseModel):
    """The id that was answered when the message was handed in."""

    message_id: str


class SenderAnswer(BaseModel):
    """Who the message comes from, and why."""

    name: str
    send_from: str
    reply_to: str | None
    why: str


class MessageAnswer(BaseModel):
    """A message that is in the outbox."""

    id: str
    state: str
    sender: SenderAnswer


class EventAnswer(BaseModel):
    """One thing that happened, with the mail server's own words."""

    kind: str
    at: str
    words: str
    server: str | None


class MessageStory(BaseModel):
    """A message and what became of it."""

    id: str
    state: str
    attempts: int
    sender: SenderAnswer | None
    events: list[EventAnswer]


@blueprint.post(
    "/messages",
    summary="Hand in one message, or up to 1,000",
    responses={202: MessageAnswer},
)
def post_messages(body: NewMessageOrMessages) -> Any:
    """202 once all of it is durable. An Idempotency-Key has one effect within 7 days."""
    account_id = api_account()
    raw = body.model_dump()
    key = request.headers.get("Idempotency-Key")
    if key is not None and not 1 <= len(key) <= 255:
        raise refuse(422, "That Idempotency-Key does not fit", "Use 1 to 255 characters.")
    try:
        # A repeat is answered before it is judged: what was taken stays taken.
        answer = _earlier(account_id, key, raw) or _take(account_id, key, raw)
    except IdempotencyConflict as error:
        raise refuse(422, "That Idempotency-Key is taken", str(error), code="key_reused") from None
    return jsonify(answer), 202


def _earlier(account_id: int, key: str | None, raw: dict[str, Any]) -> dict[str, Any] | None:
    if key is None:
        return None
    with database().reading() as session:
        return earlier_answer(session, account_id, _ENDPOINT, key, hash_request(raw))


def _take(account_id: int, key: str | None, raw: dict[str, Any]) -> dict[str, Any]:
    is_batch = "messages" in raw
    asked = NewMessages(**raw).messages if is_batch else [NewMessage(**raw)]
    requests, addresses = _judged(asked, is_batch)
    return _accept(account_id, requests, addresses, key, raw, is_batch)


@blueprint.get(
    "/messages/<string:message_id>",
    summary="See what became of a message",
    responses={200: MessageStory, 404: Problem},
)
def get_message(path: MessagePath) -> Any:
    """State, sender and events of a message of this account."""
    number = read_id(path.message_id)
    with database().reading() as session:
        view = None if number is None else find_message(session, api_account(), number)
        if view is None:
            raise refuse(404, "No such message", "This account has no message with that id.")
        return jsonify(describe_message(view))


def _judged(asked: list[NewMessage], is_batch: bool) -> tuple[list[MessageRequest], list[Address]]:
    requests = [_request(message) for message in asked]
    addresses, faults = find_faults(requests, installation().address_policy())
    faults += [
        Fault(index, "asset_id", "not_found", "This account has no such asset.")
        for index, message in enumerate(asked)
        if message.asset_id is not None
    ]
    if faults:
        raise _refused(faults, is_batch)
    return requests, [address for address in addresses if address is not None]


def _request(message: NewMessage) -> MessageRequest:
    sender_id = None
    if message.sender_id is not None:
        sender_id = read_id(message.sender_id) or 0  # 0 is nobody's
    return MessageRequest(
        to=message.to,
        subject=message.subject,
        text=message.text,
        html=message.html,
        stream=message.stream,
        sender_id=sender_id,
        variables=message.variables,
    )


def _accept(
    account_id: int,
    requests: list[MessageRequest],
    addresses: list[Address],
    key: str | None,
    raw: dict[str, Any],
    is_batch: bool,
) -> dict[str, Any]:
    with database().transaction() as session:
        if key is not None:
            earlier = begin_once(session, account_id, _ENDPOINT, key, hash_request(raw))
            if earlier is not None:
                return earlier
        answer = _enqueue(session, account_id, requests, addresses, is_batch)
        if key is not None:
            finish_once(session, account_id, _ENDPOINT, key, answer)
        return answer


def _enqueue(
    session: Session,
    account_id: int,
    requests: list[MessageRequest],
    addresses: list[Address],
    is_batch: bool,
) -> dict[str, Any]:
    domain = installation().settings.platform_domain
    enqueued, faults = enqueue_messages(session, account_id, requests, addresses, domain)
    if faults:
        raise _refused(faults, is_batch)
    answers = [_answer(message) for message in enqueued]
    return {"messages": answers} if is_batch else answers[0]


def _answer(message: Enqueued) -> dict[str, Any]:
    return {
        "id": show_id(message.id),
        "state": message.state.value,
        "sender": message.sender.as_json(),
    }


def _refused(faults: list[Fault], is_batch: bool) -> Exception:
    errors = [
        {
            "pointer": f"/messages/{fault.index}/{fault.field}" if is_batch else f"/{fault.field}",
            "index": fault.index,
            "code": fault.code,
            "detail": fault.message,
        }
        for fault in faults
    ]
    return refuse(
        422,
        "That message cannot be sent" if len(faults) == 1 else "These messages cannot be sent",
        faults[0].message,
        code=faults[0].code,
        errors=errors,
    )
