"""From a row, its sender and its words to the bytes of the message, not signed yet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from kartramail.config import Settings
from kartramail.ids import show_id
from kartramail.messages.compose import Composer
from kartramail.messages.resolution import Resolution
from kartramail.outbox.claims import Claimed
from kartramail.outbox.contents import Words
from kartramail.outbox.models import Message
from kartramail.rules.headers import Mailbox
from kartramail.rules.mime import Composed, Filled, MessageHeaders, whole
from kartramail.rules.tokens import return_path

Row = Claimed | Message
"""A message as a worker claimed it, or as it lies in the outbox."""


class Builder:
    """Builds messages with one composer; not shared by threads."""

    def __init__(self, settings: Settings, composer: Composer) -> None:
        self._settings = settings
        self._secret = settings.secret_key.get_secret_value().encode()
        self.composer = composer

    def build(
        self,
        message: Row,
        sender: Resolution,
        words: Words | None,
        at: datetime,
        more: Mapping[str, Any],
    ) -> Filled:
        """The whole message as it leaves at `at`, without signature.

        Raises what `compose` raises, and UnsafeHeader.
        """
        composed = self.compose(message, sender, words, more)
        return whole(self.headers(message, sender, at), composed)

    def compose(
        self, message: Row, sender: Resolution, words: Words | None, more: Mapping[str, Any]
    ) -> Composed:
        """What it says.

        `words` are those of its content, needed where the composer misses them; `more` are
        variables beside its own. Raises TemplateError.
        """
        variables: dict[str, Any] = {**(message.variables or {}), **more}
        if message.content_id is not None:
            return self.composer.content(message.content_id, words).compose(variables)
        variables |= {
            "sender": sender,
            "return_path": self.return_path(show_id(message.id), sender),
            "platform_domain": self._settings.platform_domain,
            "base_url": self._settings.base_url,
        }
        return self.composer.platform_mail(message.template or "").compose(variables)

    def return_path(self, shown: str, sender: Resolution) -> str:
        """The envelope sender of the message of that id: each has one of its own (R-BOUNCE)."""
        domain = sender.return_path_domain or self._settings.bounce_host
        return return_path(shown, self._secret, domain)

    def headers(self, message: Row, sender: Resolution, at: datetime) -> MessageHeaders:
        """What stands above it."""
        shown, account = show_id(message.id), show_id(message.account_id)
        return MessageHeaders(
            sender=Mailbox(sender.send_from, sender.name),
            to=Mailbox(message.to_addr),
            message_id=f"<{shown}@{self._settings.platform_domain}>",
            date=at,
            reply_to=Mailbox(sender.reply_to) if sender.reply_to else None,
            extra=(
                ("X-KartraMail-Message", shown),
                # Source, account, stream, and who sends, for the feedback of large receivers.
                ("Feedback-ID", f"{message.source_kind}:{account}:{message.stream}:kartramail"),
                ("Auto-Submitted", "auto-generated"),
            ),
        )
