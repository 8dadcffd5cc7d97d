"""Messages that are called back before they leave.

What waits is cancelled at once. What a worker holds may be on the wire: its time is over from then
on, so that it ends with the try that is under way, unless a server takes it there.
"""

from collections.abc import Collection

from sqlalchemy import and_, case, or_
from sqlmodel import Session, col, insert, select, update

from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.outbox.models import (
    VARIABLES_AFTER_THE_END,
    Event,
    EventKind,
    Message,
    MessageState,
)

_NOT_TRIED_AGAIN = "Not tried again: it had been called back."


def cancel_waiting(
    session: Session, account_id: int, message_ids: Collection[int], why: str
) -> list[int]:
    """Cancel those of these messages that still wait, and note why; returns their ids.

    One that a worker holds is called back: it ends with this try (`end_called_back`). One that has
    ended stays what it became. The database decides, in one statement: what changes hands
    meanwhile is met as the one or as the other. `why` ends a sentence, without its full stop.
    """
    if not message_ids:
        return []
    is_waiting = and_(col(Message.due_at).is_not(None), col(Message.worker_id).is_(None))
    # One whose time is over already ends by itself.
    is_held = and_(col(Message.worker_id).is_not(None), col(Message.expires_at) > now())
    met = session.connection().execute(
        update(Message)
        .where(
            col(Message.account_id) == account_id,
            col(Message.id).in_(message_ids),
            or_(is_waiting, is_held),
        )
        .values(
            state=case((is_waiting, MessageState.CANCELLED.value), else_=col(Message.state)),
            due_at=None,
            # Not the time of this machine: by the clock of any other it must be over, too.
            expires_at=case((is_waiting, col(Message.expires_at)), else_=col(Message.created_at)),
            variables=case((is_waiting, VARIABLES_AFTER_THE_END), else_=col(Message.variables)),
        )
        .returning(col(Message.id), col(Message.worker_id))
    )
    held = {row.id: row.worker_id is not None for row in met}
    _note(session, [one for one in held if not held[one]], f"Not sent: {why}.")
    _note(session, [one for one in held if held[one]], f"Called back while on its way: {why}.")
    return sorted(one for one in held if not held[one])


def end_called_back(session: Session, message_ids: Collection[int]) -> list[int]:
    """Those of these that were called back end as cancelled, and not as failed; returns their ids.

    All of them have ended, as their time was over. A statement of its own, so that it sees what
    the one that ended them had to wait for.
    """
    if not message_ids:
        return []
    called_back = select(Event.message_id).where(
        col(Event.message_id).in_(message_ids), Event.kind == EventKind.CANCELLED
    )
    ended = session.connection().execute(
        update(Message)
        .where(col(Message.id).in_(called_back))
        .values(state=MessageState.CANCELLED)
        .returning(col(Message.id))
    )
    ids = sorted(row.id for row in ended)
    _note(session, ids, _NOT_TRIED_AGAIN)
    return ids


def _note(session: Session, message_ids: Collection[int], words: str) -> None:
    if message_ids:
        session.connection().execute(insert(Event), [_event(one, words) for one in message_ids])


def _event(message_id: int, words: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "message_id": message_id,
        "kind": EventKind.CANCELLED,
        "at": now(),
        "detail": {"words": words},
    }
