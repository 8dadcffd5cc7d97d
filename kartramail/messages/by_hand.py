"""What a person or a program does to one message that has not ended: try it now, call it back.

Both are free, and both are in the account's history by the message's id: its address goes with it
(R-LOG), while the history stays.
"""

from enum import StrEnum

from sqlmodel import Session, col, update

from kartramail.accounts.history import record_change
from kartramail.clock import now
from kartramail.ids import show_id
from kartramail.messages.queries import ENDED, find_message
from kartramail.outbox.cancellation import cancel_waiting
from kartramail.outbox.models import Message, MessageState


class Outcome(StrEnum):
    """What came of asking; the words of the API's problems."""

    DONE = "done"
    ALREADY = "already"
    """It is as asked for, and was before: nothing changed."""
    CALLED_BACK = "called_back"
    """A worker holds it: this try ends as it ends, and there is no other."""
    BEING_SENT = "being_sent"
    NOT_YET_TRIED = "not_yet_tried"
    ENDED = "ended"
    NOT_FOUND = "not_found"


def try_now(session: Session, account_id: int, message_id: int, *, user_id: int | None) -> Outcome:
    """Make a message that waits for its next try due at once. It costs no attempt.

    One statement decides, so that what a worker takes meanwhile is left to it. Anything else than
    a message that was put off stays as it is.
    """
    if find_message(session, account_id, message_id) is None:
        return Outcome.NOT_FOUND
    at = now()
    hurried = session.connection().execute(
        update(Message)
        .where(
            col(Message.account_id) == account_id,
            col(Message.id) == message_id,
            col(Message.state) == MessageState.DEFERRED,
            col(Message.due_at) > at,
        )
        .values(due_at=at)
    )
    if hurried.rowcount:
        _note(session, account_id, "message.tried_now", message_id, user_id)
        return Outcome.DONE
    match _state(session, account_id, message_id):
        case MessageState.DEFERRED:
            return Outcome.ALREADY
        case MessageState.SENDING:
            return Outcome.BEING_SENT
        case MessageState.QUEUED | MessageState.SCHEDULED:
            return Outcome.NOT_YET_TRIED
        case _:
            return Outcome.ENDED


def cancel(
    session: Session, account_id: int, message_id: int, why: str, *, user_id: int | None
) -> Outcome:
    """Cancel a message that waits; call back one that a worker holds, which may be on its way.

    `why` ends a sentence of the message's story, without its full stop. The platform's own mails
    are nobody's to cancel: they are not found.
    """
    before = find_message(session, account_id, message_id)
    if before is None:
        return Outcome.NOT_FOUND
    was_over = before.message.expires_at <= now()  # also where it was called back before
    if cancel_waiting(session, account_id, [message_id], why):
        _note(session, account_id, "message.cancelled", message_id, user_id)
        return Outcome.DONE
    state = _state(session, account_id, message_id)
    if state is MessageState.CANCELLED:
        return Outcome.ALREADY
    if state in ENDED:
        return Outcome.ENDED
    if not was_over:
        _note(session, account_id, "message.called_back", message_id, user_id)
    return Outcome.CALLED_BACK


def _state(session: Session, account_id: int, message_id: int) -> MessageState:
    """As it is now, whatever was read before."""
    session.expire_all()
    view = find_message(session, account_id, message_id)
    return MessageState.SENT if view is None else view.message.state


def _note(
    session: Session, account_id: int, what: str, message_id: int, user_id: int | None
) -> None:
    record_change(
        session, account_id, what, user_id=user_id, after={"message": show_id(message_id)}
    )
