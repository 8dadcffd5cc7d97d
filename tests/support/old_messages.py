"""Messages that have left the hot table."""

from datetime import timedelta
from typing import Any

from kartramail.clock import now
from kartramail.db import Database
from kartramail.ids import first_id_at
from kartramail.outbox.models import Message, MessageState
from kartramail.outbox.resolved_senders import SenderAnswer, store_resolved_sender
from kartramail.outbox.retention import move_old_messages
from tests.support.outbox import add_messages

ERASED = "Its address and words were erased after 90 days."
_SENDER = SenderAnswer(
    "digest", "Doe Inc.", "alice@doeinc.com", None, None, ["default", "It is the default."], []
)


def grow_old(db: Database, account_id: int, **values: Any) -> int:
    """A message to r0@example.net that was sent 100 days ago, and is moved by now."""
    at = now() - timedelta(days=100)
    with db.transaction() as session:
        sent: dict[str, Any] = {
            "id": first_id_at(at),
            "created_at": at,
            "sent_at": at,
            "expires_at": at,
            "due_at": None,
            "state": MessageState.SENT,
            "reply": "250 2.0.0 taken for r0@example.net",
            "server": "relay:25",
            "resolved_id": store_resolved_sender(session, account_id, _SENDER),
        }
        (number,) = add_messages(session, account_id, 1, **sent | values)
    assert move_old_messages(db, 90, 60.0, lambda _: None).messages == 1
    with db.reading() as session:
        assert session.get(Message, number) is None
    return number
