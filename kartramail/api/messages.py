"""`/api/v1/messages`: hand in messages, see what became of one."""

from collections.abc import Iterator
from typing import Any

from flask import jsonify
from flask_openapi3 import APIBlueprint, Tag
from sqlmodel import Session

from kartramail.api.access import SECURITY, Problem, api_account, refuse
from kartramail.api.message_models import (
    MessageAnswer,
    MessagePath,
    MessageStory,
    NewMessage,
    NewMessageOrMessages,
    NewMessages,
)
from kartramail.api.once import answer_once
from kartramail.assets.service import asset_names
from kartramail.ids import read_id, show_id
from kartramail.messages.enqueue import Enqueued, enqueue_messages
from kartramail.messages.finishing import finish_requests
from kartramail.messages.queries import describe_message, find_message
from kartramail.messages.requests import Fault, MessageRequest, find_faults
from kartramail.outbox.old_messages import erased_words
from kartramail.rules.addresses import Address
from kartramail.web.access import database, installation

_ENDPOINT = "POST /messages"

_Judged = tuple[list[MessageRequest], list[Address]]
"""Messages that are sound, and the address of each."""

blueprint = APIBlueprint(
    "api_messages",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="messages", description="Messages, and what became of them.")],
    abp_security=SECURITY,
    abp_responses={401: Problem, 422: Problem},
)


@blueprint.post(
    "/messages",
    summary="Hand in one message, or up to 1,000",
    responses={202: MessageAnswer},
)
def post_messages(body: NewMessageOrMessages) -> Any:
    """202 once all of it is durable. An Idempotency-Key has one effect within 7 days."""
    raw = body.model_dump()
    is_batch = "messages" in raw

    def judge() -> _Judged:
        asked = NewMessages(**raw).messages if is_batch else [NewMessage(**raw)]
        return _judged(asked, is_batch)

    def take(session: Session, judged: _Judged) -> dict[str, Any]:
        return _enqueue(session, api_account(), *judged, is_batch)

    return jsonify(answer_once(_ENDPOINT, raw, judge, take)), 202


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
        days = installation().settings.message_retention_days
        return jsonify(describe_message(view, erased_words(days) if view.is_erased else None))


def _judged(asked: list[NewMessage], is_batch: bool) -> _Judged:
    requests = [_request(message) for message in asked]
    addresses, faults = find_faults(requests, installation().address_policy())
    if not faults:
        requests, faults = finish_requests(requests)
    if faults:
        raise _refused(faults, is_batch)
    return requests, [address for address in addresses if address is not None]


def _request(message: NewMessage) -> MessageRequest:
    return MessageRequest(
        to=message.to,
        subject=message.subject,
        text=message.text,
        html=message.html,
        stream=message.stream,
        sender_id=_number(message.sender_id),
        asset_id=_number(message.asset_id),
        variables=message.variables,
    )


def _number(shown: str | None) -> int | None:
    """The id that was shown; 0, which is nobody's, for what is none."""
    return None if shown is None else read_id(shown) or 0


def _enqueue(
    session: Session,
    account_id: int,
    requests: list[MessageRequest],
    addresses: list[Address],
    is_batch: bool,
) -> dict[str, Any]:
    faults = list(_asset_faults(session, account_id, requests))
    if faults:
        raise _refused(faults, is_batch)
    domain = installation().settings.platform_domain
    enqueued, faults = enqueue_messages(session, account_id, requests, addresses, domain)
    if faults:
        raise _refused(faults, is_batch)
    answers = [_answer(message) for message in enqueued]
    return {"messages": answers} if is_batch else answers[0]


def _asset_faults(
    session: Session, account_id: int, requests: list[MessageRequest]
) -> Iterator[Fault]:
    named = {request.asset_id for request in requests if request.asset_id is not None}
    known = asset_names(session, account_id, named) if named else {}
    for index, request in enumerate(requests):
        if request.asset_id is not None and request.asset_id not in known:
            yield Fault(index, "asset_id", "not_found", "This account has no such asset.")


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
