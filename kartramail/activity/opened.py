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
from kartramail.activity.timeline import Moment, tell_moment
from kartramail.assets.service import asset_names
from kartramail.messages.candidates import Wanted, resolve_wanted
from kartramail.messages.queries import ENDED, find_message
from kartramail.messages.standing import Pause, explain
from kartramail.outbox.contents import Words, load_contents
from kartramail.outbox.models import Message, MessageState

_SOON = timedelta(seconds=30)
"""For so long nobody needs to wonder why a message has not left."""

_NOT_AGAIN = {
    MessageState.BOUNCED: "It is not sent again from here: the same mail to the same address would "
    "be refused again, and refusals cost your domain its good name.",
    MessageState.FAILED: "It is not sent again from here: what it says may be out of date. Start "
    "it anew where it came from.",
}


@dataclass(frozen=True, slots=True)
class Opened:
    """A message with its sender, its source and its story. `words` are its templates.

    Of one that `is_erased` neither address nor words are left. `pause`: its mail is paused.
    """

    message: Message
    sender: ShownSender
    source: Source
    timeline: tuple[Moment, ...]
    words: Words | None
    is_erased: bool = False
    pause: Pause | None = None

    @property
    def is_final(self) -> bool:
        """Whether nothing more happens to it by itself."""
        return self.message.state in ENDED

    @property
    def version(self) -> str:
        """Changes whenever its state or its story would look different."""
        message = self.message
        told = (message.state.value, message.due_at, self.pause, self.sender.why)
        lines = map(str, (*told, *self.timeline))
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]

    def can_be_hurried(self, moment: datetime) -> bool:
        """Whether its next try could be sooner."""
        message = self.message
        is_put_off = message.state is MessageState.DEFERRED and not self.pause
        return is_put_off and message.due_at is not None and message.due_at > moment

    def waits_in_line(self, moment: datetime) -> bool:
        """Whether something else than its own time keeps it: the page of what waits says what."""
        is_queued = self.message.state is MessageState.QUEUED
        return self.pause is not None or (is_queued and not self._is_fresh(moment))

    def can_be_cancelled(self, moment: datetime) -> bool:
        """Whether it waits, or could at least be called back."""
        return not self.is_final and (
            self.message.due_at is not None or self.message.expires_at > moment
        )

    def state_words(self, moment: datetime) -> tuple[str, str]:
        """What became of it in a sentence, and what to do where something is to be done."""
        message = self.message
        server = message.server or "The mail server"
        is_fresh = self._is_fresh(moment) and not self.pause
        told = explain(message, self.pause)
        problem, advice = (told.problem, told.advice) if told else ("", "")
        match message.state:
            case MessageState.SENT:
                return f"{server} took it and answers for it from now on.", ""
            case MessageState.QUEUED | MessageState.SENDING if is_fresh:
                return "It is on its way. The answer of the mail server will stand here.", ""
            case MessageState.SUPPRESSED:
                return "It was not sent, because this address must not be written to.", ""
            case MessageState.CANCELLED:
                return "It was cancelled before it left.", ""
            case MessageState.SENDING if message.expires_at <= moment:
                return "It may already be on its way. This try is its last.", ""
            case MessageState.BOUNCED | MessageState.FAILED:
                return problem, f"{advice} {_NOT_AGAIN[message.state]}"
            case _:
                return problem, advice

    def _is_fresh(self, moment: datetime) -> bool:
        return moment - self.message.created_at < _SOON


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
        timeline=tuple(tell_moment(happening) for happening in view.story),
        words=contents.get(message.content_id or 0),
        is_erased=view.is_erased,
        pause=view.pause,
    )
