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

_IN_DOUBT = " (in doubt: it may have been taken)"
"""As `outbox.results` notes it behind the server's words."""

_NOT_AGAIN = {
    MessageState.BOUNCED: "It is not sent again from here: the same mail to the same address would "
    "be refused again, and refusals cost your domain its good name.",
    MessageState.FAILED: "It is not sent again from here: what it says may be out of date. Start "
    "it anew where it came from.",
}

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
    """A line of the timeline. `words` are the server's own, where `is_quoted`.

    `is_in_doubt`: the whole message went out, and no answer came: the server may have it.
    """

    kind: str
    at: datetime
    title: str
    words: str
    is_quoted: bool
    stage: str
    attempt: int | None = None
    is_in_doubt: bool = False


@dataclass(frozen=True, slots=True)
class Opened:
    """A message with its sender, its source and its story. `words` are its templates.

    Of one that `is_erased` neither address nor words are left.
    """

    message: Message
    sender: ShownSender
    source: Source
    timeline: tuple[Moment, ...]
    words: Words | None
    is_erased: bool = False

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.message.state in ENDED

    @property
    def version(self) -> str:
        """Changes whenever its state or its story would look different."""
        message = self.message
        told = (message.state.value, message.due_at, self.sender.why, *map(str, self.timeline))
        return hashlib.sha256("\n".join(map(str, told)).encode()).hexdigest()[:12]

    def can_be_hurried(self, moment: datetime) -> bool:
        """Whether its next try could be sooner."""
        due_at = self.message.due_at
        return (
            self.message.state is MessageState.DEFERRED and due_at is not None and due_at > moment
        )

    def can_be_cancelled(self, moment: datetime) -> bool:
        """Whether it waits, or could at least be called back."""
        return not self.is_final and (
            self.message.due_at is not None or self.message.expires_at > moment
        )

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
            case MessageState.SENDING if message.expires_at <= moment:
                return "It may already be on its way. This try is its last.", ""
            case MessageState.BOUNCED | MessageState.FAILED:
                problem, advice = explain(message)
                return problem or "", f"{advice} {_NOT_AGAIN[message.state]}"
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
        is_erased=view.is_erased,
    )


def _moment(happening: Happening) -> Moment:
    title, is_quoted = _title(happening)
    words = "" if happening.kind == "queued" else happening.words
    return Moment(
        kind=str(happening.kind),
        at=happening.at,
        title=title,
        words=words.removesuffix(_IN_DOUBT),
        is_quoted=is_quoted,
        stage=STAGES[Stage(happening.stage)] if happening.stage in set(Stage) else "",
        attempt=happening.attempt,
        is_in_doubt=words.endswith(_IN_DOUBT),
    )


def _title(happening: Happening) -> tuple[str, bool]:
    """What happened, and whether its words are a server's."""
    server = happening.server or "The mail server"
    if happening.stage == Stage.CONNECT:
        return f"{server} could not be reached", True
    if happening.words.endswith(_IN_DOUBT):
        return f"{server} may have taken it", True
    return {
        "queued": ("Accepted into the outbox", False),
        "sent": (f"{server} took it", True),
        "deferred": (f"{server} did not take it", True),
        "delayed": ("Still not delivered", False),
        "bounced": (f"{server} refused it for good", True),
        "failed": ("Given up", False),
        "reclaimed": ("Taken up again", False),
        "suppressed": ("Not sent", False),
        "cancelled": ("Cancelled", False),
    }.get(happening.kind, (happening.kind.capitalize(), False))
