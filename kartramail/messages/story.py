"""What became of one message, told in order, with the servers' own words (R-LOG, R-RETRY)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from kartramail.outbox.models import Attempt, Event, EventKind, Message, MessageState


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a message's story.

    `words` are the server's own, where one spoke; `stage` is then how far the conversation had come
    (`rules.replies.Stage`) and `code` what it answered, None where it did not answer in SMTP.
    `attempt` counts the hand-overs to a server, from 1.
    """

    kind: str
    at: datetime
    words: str
    server: str | None = None
    stage: str | None = None
    code: int | None = None
    attempt: int | None = None


_UNTOLD_ENDS = (MessageState.FAILED, MessageState.SUPPRESSED, MessageState.CANCELLED)


def tell_story(session: Session, message: Message) -> tuple[Happening, ...]:
    """From the outbox to the end, or as far as it has come. The caller has named the account."""
    story = [Happening("queued", message.created_at, "Accepted into the outbox")]
    story += sorted(
        [*_attempts(session, message), *_events(session, message)], key=lambda one: one.at
    )
    if message.sent_at:
        story.append(
            Happening(
                "sent",
                message.sent_at,
                message.reply or "",
                message.server,
                attempt=message.tries or None,
            )
        )
    if message.state in _UNTOLD_ENDS and story[-1].kind != message.state:
        # Its time was over with the last thing that happened to it.
        story.append(Happening(message.state, story[-1].at, message.reply or ""))
    return tuple(story)


def last_at(session: Session, message: Message) -> datetime:
    """When a mail server last spoke about it; before that, when it was accepted."""
    last = session.exec(
        select(Attempt.at).where(Attempt.message_id == message.id).order_by(col(Attempt.n).desc())
    ).first()
    return last or message.created_at


def _attempts(session: Session, message: Message) -> Iterator[Happening]:
    for attempt in session.exec(select(Attempt).where(Attempt.message_id == message.id)):
        is_end = message.state is MessageState.BOUNCED and attempt.n == message.tries
        yield Happening(
            EventKind.BOUNCED if is_end else EventKind.DEFERRED,
            attempt.at,
            attempt.reply,
            attempt.server,
            attempt.stage,
            attempt.code,
            attempt.n,
        )


def _events(session: Session, message: Message) -> Iterator[Happening]:
    for event in session.exec(select(Event).where(Event.message_id == message.id)):
        yield Happening(event.kind, event.at, str(event.detail.get("words", "")))
