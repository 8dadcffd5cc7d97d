"""`/api/v1/messages/<id>/cancel` and `…/retry`: a message that has not ended is called back."""

from typing import Any

from flask import jsonify
from flask_openapi3 import APIBlueprint, Tag
from sqlmodel import Session

from kartramail.api.access import SECURITY, Problem, api_account, by_account, refuse
from kartramail.api.message_models import MessagePath, MessageStory
from kartramail.ids import read_id
from kartramail.messages.by_hand import Outcome, cancel, try_now
from kartramail.messages.queries import describe_message, find_message
from kartramail.web.access import database
from kartramail.web.limits import limiter

blueprint = APIBlueprint(
    "api_message_actions",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="messages", description="Messages, and what became of them.")],
    abp_security=SECURITY,
    abp_responses={401: Problem, 404: Problem, 409: Problem},
)

_TOO_LATE = {
    Outcome.ENDED: "What became of this message is settled. Its state says how it ended.",
    Outcome.BEING_SENT: "This message is being sent right now. Look at what becomes of it.",
    Outcome.NOT_YET_TRIED: "This message has not been tried yet; it leaves when it is its turn.",
}


@blueprint.post(
    "/messages/<string:message_id>/cancel",
    summary="Cancel a message that has not left",
    responses={200: MessageStory, 202: MessageStory},
)
def cancel_message(path: MessagePath) -> Any:
    """200: it does not leave, now or when it was cancelled before.

    202: it may already be on its way; the try that is under way is its last. 409 `ended`: too late.
    """
    with database().transaction() as session:
        number = read_id(path.message_id) or 0
        outcome = cancel(session, api_account(), number, "a program cancelled it", user_id=None)
        story = _story(session, number, outcome, "Too late to cancel")
    return story, 202 if outcome is Outcome.CALLED_BACK else 200


@blueprint.post(
    "/messages/<string:message_id>/retry",
    summary="Try a message again now that waits for its next try",
    responses={200: MessageStory, 429: Problem},
)
@limiter.limit("300 per minute", key_func=by_account)
def retry_message(path: MessagePath) -> Any:
    """Its next try is due at once, and counts as no further attempt than it would have been.

    409 `being_sent`, `not_yet_tried` or `ended`: it does not wait for a next try.
    """
    with database().transaction() as session:
        number = read_id(path.message_id) or 0
        outcome = try_now(session, api_account(), number, user_id=None)
        return _story(session, number, outcome, "It does not wait for a next try")


def _story(session: Session, message_id: int, outcome: Outcome, title: str) -> Any:
    """The message as it is now. Raises the problem where nothing could be done."""
    session.expire_all()
    view = find_message(session, api_account(), message_id)
    if view is None or outcome is Outcome.NOT_FOUND:
        raise refuse(404, "No such message", "This account has no message with that id.")
    if outcome in _TOO_LATE:
        raise refuse(409, title, _TOO_LATE[outcome], code=outcome.value)
    return jsonify(describe_message(view))
