"""One message, opened: all that its page shows."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlmodel import Session

from kartramail.activity.shown import (
    ShownSender,
    Source,
    show_resolution,
    show_sender,
    show_source,
)
from kartramail.assets.service import asset_names
from kartramail.messages.candidates import Wanted, resolve_wanted
from kartramail.messages.queries import ENDED, explain, find_message
from kartramail.messages.story import Happening
from kartramail.outbox.contents import Words, load_contents
from kartramail.outbox.models import Message, MessageState
from kartramail.rules.replies import Stage

_SOON = timedelta(seconds=30)
"""For so long nobody needs to wonder why a message has not left."""

STAGES = {
    Stage.CONNECT: "No connection came about",
    Stage.GREETING: "In its greeting",
    Stage.EHLO: "After hello (EHLO)",
    Stage.TLS: "While encryption began (STARTTLS)",
    Stage.AUTH: "At sign-in (AUTH)",
    Stage.MAIL: "After the sender (MAIL FROM)",
    Stage.RCPT: "After the recipient (RCPT TO)",
    Stage.DATA: "Before the text (DATA)",
    Stage.END_OF_DATA: "After the whole message",
}
"""How far the conversation with a server had come when it spoke."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the timeline. `words` are the server's own, where `is_quoted`."""

    kind: str
    at: datetime
    title: str
    words: str
    is_quoted: bool
    stage: str


@dataclass(frozen=True, slots=True)
class Opened:
    """A message with its sender, its source and its story. `words` are its templates."""

    message: Message
    sender: ShownSender
    source: Source
    timeline: tuple[Moment, ...]
    words: Words | None

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.message.state in ENDED

    @property
    def version(self) -> str:
        """Changes whenever its state or its story would look different."""
        told = (self.message.state.value, self.sender.why, *map(str, self.timeline))
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]

    def state_words(self, moment: datetime) -> tuple[str, str]:
        """What became of it in a sentence, and what to do where something is to be done."""
        message = self.message
        server = message.server or "The mail server"
        is_fresh = moment - message.created_at < _SOON
        match message.state:
            case MessageState.SENT:
                return f"{server} took it and answers for it from now on.", ""
            case MessageState.QUEUED | MessageState.SENDING if is_fresh:
                return "It is on its way. The answer of the mail server will stand here.", ""
            case MessageState.SCHEDULED:
                return "It waits for its time.", ""
            case MessageState.SUPPRESSED:
                return "It was not sent, because this address must not be written to.", ""
            case MessageState.CANCELLED:
                return "It was cancelled before it left.", ""
            case _:
                problem, advice = explain(message)
                return problem or "", advice or ""


def open_message(
    session: Session, account_id: int, message_id: int, platform_domain: str
) -> Opened | None:
    """The message, None where it is not there or not this account's to read."""
    view = find_message(session, account_id, message_id)
    if view is None:
        return None
    message = view.message
    sender = show_sender(view.sender, message.source_kind, platform_domain)
    if sender is None:  # decided only when it leaves, such as a sample: what it would be now
        wanted = Wanted(account_id, message.sender_id, message.asset_id, message.type)
        resolution = resolve_wanted(session, wanted, platform_domain)
        sender = show_resolution(resolution, platform_domain)
    names = asset_names(session, account_id, {message.asset_id} if message.asset_id else ())
    contents = load_contents(session, {message.content_id} if message.content_id else set())
    return Opened(
        message=message,
        sender=sender,
        source=show_source(message.source_kind, message.type, message.asset_id, names),
        timeline=tuple(_moment(happening) for happening in view.story),
        words=contents.get(message.content_id or 0),
    )


def _moment(happening: Happening) -> Moment:
    server = happening.server or "The mail server"
    title, is_quoted = {
        "queued": ("Accepted into the outbox", False),
        "sent": (f"{server} took it", True),
        "deferred": (f"{server} did not take it", True),
        "bounced": (f"{server} refused it for good", True),
        "failed": ("Given up", False),
        "reclaimed": ("Taken up again", False),
        "suppressed": ("Not sent", False),
        "cancelled": ("Cancelled", False),
    }.get(happening.kind, (happening.kind.capitalize(), False))
    if happening.stage == Stage.CONNECT:
        title, is_quoted = f"{server} could not be reached", True
    return Moment(
        kind=str(happening.kind),
        at=happening.at,
        title=title,
        words="" if happening.kind == "queued" else happening.words,
        is_quoted=is_quoted,
        stage=STAGES[Stage(happening.stage)] if happening.stage in set(Stage) else "",
    )
