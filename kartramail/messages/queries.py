"""Messages of one account, as pages and the API show them. Every query names the account.

The platform's own mails (links to confirm or reset) are never among them (R-LOG).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel import Session, col, select

from kartramail.ids import show_id
from kartramail.outbox.models import (
    Attempt,
    Event,
    EventKind,
    Message,
    MessageState,
    ResolvedSender,
    SourceKind,
)

_ENDED = {
    MessageState.SENT,
    MessageState.BOUNCED,
    MessageState.FAILED,
    MessageState.SUPPRESSED,
    MessageState.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a message's story."""

    kind: str
    at: datetime
    words: str
    server: str | None = None


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with its sender and its story. `sender` is empty until it was first prepared."""

    message: Message
    sender: ResolvedSender | None
    story: tuple[Happening, ...]


@dataclass(frozen=True, slots=True)
class MessageProgress:
    """Where a test stands: what the page says while it follows the message (R-TEST).

    `words` are the server's own; `problem` and `advice` are set when it did not (yet) arrive.
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


def find_message(session: Session, account_id: int, message_id: int) -> MessageView | None:
    """The message and its story, or None when it is not there, or not this account's to read."""
    message = _find(session, account_id, message_id)
    if message is None or message.source_kind is SourceKind.PLATFORM:
        return None
    sender = session.get(ResolvedSender, message.resolved_id) if message.resolved_id else None
    return MessageView(message, sender, _story(session, message))


def message_progress(session: Session, account_id: int, message_id: int) -> MessageProgress | None:
    """How far a message of this account is; None when there is none."""
    message = _find(session, account_id, message_id)
    if message is None or message.source_kind is SourceKind.PLATFORM:
        return None
    problem, advice = _explain(message)
    return MessageProgress(
        id=message.id,
        state=message.state,
        words=message.reply or "",
        server=message.server,
        at=message.sent_at or _last_at(session, message),
        tries=message.tries,
        is_final=message.state in _ENDED,
        problem=problem,
        advice=advice,
    )


def has_accepted_test(session: Session, account_id: int) -> bool:
    """Whether a mail server ever accepted a test of this account, whatever became of newer ones."""
    is_test = text("source_kind = 'test'")  # as in ix_message_test: SQLite uses it only so
    found = session.exec(
        select(Message.id)
        .where(Message.account_id == account_id, is_test, col(Message.sent_at).is_not(None))
        .limit(1)
    ).first()
    return found is not None


def _find(session: Session, account_id: int, message_id: int) -> Message | None:
    return session.exec(
        select(Message).where(Message.id == message_id, Message.account_id == account_id)
    ).first()


def _last_at(session: Session, message: Message) -> datetime:
    last = session.exec(
        select(Attempt.at).where(Attempt.message_id == message.id).order_by(col(Attempt.n).desc())
    ).first()
    return last or message.created_at


def _story(session: Session, message: Message) -> tuple[Happening, ...]:
    story = [Happening("queued", message.created_at, "Accepted into the outbox")]
    for attempt in session.exec(select(Attempt).where(Attempt.message_id == message.id)):
        is_end = message.state is MessageState.BOUNCED and attempt.n == message.tries
        kind = EventKind.BOUNCED if is_end else EventKind.DEFERRED
        story.append(Happening(kind, attempt.at, attempt.reply, attempt.server))
    for event in session.exec(select(Event).where(Event.message_id == message.id)):
        story.append(Happening(event.kind, event.at, str(event.detail.get("words", ""))))
    story.sort(key=lambda happening: happening.at)
    if message.sent_at:
        story.append(Happening("sent", message.sent_at, message.reply or "", message.server))
    if message.state is MessageState.FAILED:
        story.append(Happening("failed", story[-1].at, message.reply or ""))
    return tuple(story)


def _explain(message: Message) -> tuple[str | None, str | None]:
    """What went wrong and what to do, by how the last try ended."""
    server = message.server or "the mail server"
    match message.state:
        case MessageState.DEFERRED:
            return (
                f"It has not been delivered yet: {server} did not take it.",
                "It is tried again by itself. If this stays, tell whoever runs this system "
                "what the mail server said.",
            )
        case MessageState.BOUNCED:
            return (
                f"{server} refused it for good.",
                "Read what the mail server said. If it is about the address, correct the address.",
            )
        case MessageState.FAILED:
            return (
                "It could not be delivered.",
                "Tell whoever runs this system what is said here.",
            )
        case MessageState.SENDING:
            return (
                "The mail server has not answered yet.",
                "It may be slow or out of reach. The message is kept and tried again by itself.",
            )
        case MessageState.QUEUED | MessageState.SCHEDULED:
            return (
                "It is still waiting to be sent.",
                "The process that delivers mail is busy or not running. It is not lost: it leaves "
                "as soon as that process runs.",
            )
        case _:
            return None, None


def describe_message(view: MessageView) -> dict[str, Any]:
    """The message as the API shows it (`GET /messages/<id>`)."""
    message, sender = view.message, view.sender
    return {
        "id": show_id(message.id),
        "state": message.state.value,
        "attempts": message.attempts,
        "sender": None
        if sender is None
        else {
            "name": sender.name,
            "send_from": sender.send_from,
            "reply_to": sender.reply_to,
            "why": sender.why[-1],
        },
        "events": [
            {"kind": h.kind, "at": h.at.isoformat(), "words": h.words, "server": h.server}
            for h in view.story
        ],
    }
