"""Messages of one account, as pages and the API show them. Every query names the account.

The platform's own mails (links to confirm or reset) are never among them (R-LOG).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from kartramail.ids import show_id
from kartramail.messages.standing import Explanation, Pause, explain, find_pause
from kartramail.messages.story import Happening, last_at, tell_story
from kartramail.outbox.models import (
    Message,
    MessageState,
    ResolvedSender,
    SourceKind,
)
from kartramail.outbox.old_messages import OldMessage, find_old_message

ENDED = {
    MessageState.SENT,
    MessageState.BOUNCED,
    MessageState.FAILED,
    MessageState.SUPPRESSED,
    MessageState.CANCELLED,
}
"""Nothing more happens to a message in one of these by itself."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with its sender and its story. `sender` is empty until it was first prepared.

    Of one that `is_erased` only what it was and how it ended is left, without address and words.
    `pause` is set where it waits because its mail is paused.
    """

    message: Message
    sender: ResolvedSender | None
    story: tuple[Happening, ...]
    is_erased: bool = False
    pause: Pause | None = None


@dataclass(frozen=True, slots=True)
class MessageProgress:
    """Where a test stands: what the page says while it follows the message (R-TEST).

    `words` are the server's own; `problem` and `advice` are set when it did not (yet) arrive, and
    `pause` where that is because its mail is paused.
    """

    id: int
    state: MessageState
    words: str
    server: str | None
    at: datetime
    tries: int
    is_final: bool
    problem: str | None
    advice: str | None
    pause: Pause | None = None

    @property
    def shown_id(self) -> str:
        """The id as it stands in addresses."""
        return show_id(self.id)


def find_message(session: Session, account_id: int, message_id: int) -> MessageView | None:
    """The message and its story, or None when it is not there, or not this account's to read."""
    message = _find(session, account_id, message_id)
    old = find_old_message(session, account_id, message_id) if message is None else None
    found = message or old
    if found is None or found.source_kind is SourceKind.PLATFORM:
        return None
    sender = session.get(ResolvedSender, found.resolved_id) if found.resolved_id else None
    story = tell_story(session, found) if old is None else tuple(_rest(old))
    pause = find_pause(session, found)
    return MessageView(found, sender, story, is_erased=old is not None, pause=pause)


def _rest(old: Message) -> Iterator[Happening]:
    """What is left of the story of an old message: when it came, and when it was taken."""
    yield Happening("queued", old.created_at, "Accepted into the outbox")
    if old.sent_at:
        yield Happening("sent", old.sent_at, "")


def message_progress(session: Session, account_id: int, message_id: int) -> MessageProgress | None:
    """How far a message of this account is; None when there is none."""
    message = _find(session, account_id, message_id) or find_old_message(
        session, account_id, message_id
    )
    if message is None or message.source_kind is SourceKind.PLATFORM:
        return None
    pause = find_pause(session, message)
    told = explain(message, pause)
    return MessageProgress(
        id=message.id,
        state=message.state,
        words=message.reply or "",
        server=message.server,
        at=message.sent_at or last_at(session, message),
        tries=message.tries,
        is_final=message.state in ENDED,
        problem=told.problem if told else None,
        advice=told.advice if told else None,
        pause=pause,
    )


def has_accepted_test(session: Session, account_id: int) -> bool:
    """Whether a mail server ever accepted a test of this account, whatever became of newer ones."""
    return any(_has_accepted_test(session, account_id, table) for table in (Message, OldMessage))


def _has_accepted_test(
    session: Session, account_id: int, table: type[Message] | type[OldMessage]
) -> bool:
    is_test = text("source_kind = 'test'")  # as in the index of each: SQLite uses it only so
    found = session.exec(
        select(table.id)
        .where(table.account_id == account_id, is_test, col(table.sent_at).is_not(None))
        .limit(1)
    ).first()
    return found is not None


def _find(session: Session, account_id: int, message_id: int) -> Message | None:
    return session.exec(
        select(Message).where(Message.id == message_id, Message.account_id == account_id)
    ).first()


def describe_message(view: MessageView, erased: str | None = None) -> dict[str, Any]:
    """The message as the API shows it (`GET /messages/<id>`).

    `erased` says of an old one what has become of its address and words.
    """
    message, sender = view.message, view.sender
    return {
        "id": show_id(message.id),
        "state": message.state.value,
        "type": message.type,
        "asset_id": None if message.asset_id is None else show_id(message.asset_id),
        "attempts": message.attempts,
        "to_domain": message.to_domain,
        "erased": erased,
        "explanation": _describe_explanation(explain(message, view.pause), view.pause),
        "sender": None
        if sender is None
        else {
            "name": sender.name,
            "send_from": sender.send_from,
            "reply_to": sender.reply_to,
            "why": sender.why[-1],
            "chain": sender.chain,
        },
        "events": [_describe_happening(happening) for happening in view.story],
    }


def _describe_explanation(told: Explanation | None, pause: Pause | None) -> dict[str, Any] | None:
    if told is None:
        return None
    since = pause.since if pause else None
    return {
        "problem": told.problem,
        "advice": told.advice,
        "paused": pause and {"since": since.isoformat() if since else None, "by": pause.by},
    }


def _describe_happening(happening: Happening) -> dict[str, Any]:
    return {
        "kind": str(happening.kind),
        "at": happening.at.isoformat(),
        "words": happening.words,
        "server": happening.server,
        "stage": happening.stage,
        "code": happening.code,
    }
