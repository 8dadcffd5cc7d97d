"""The mail of one message as its recipient gets it, built as delivery builds it (R-LOG)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import TemplateError as JinjaError

from kartramail.activity.shown import ShownSender
from kartramail.activity.subjects import OWN_SUBJECTS
from kartramail.config import Settings
from kartramail.delivery.build import Builder
from kartramail.errors import KartraMailError
from kartramail.messages.compose import Composer
from kartramail.messages.resolution import Resolution
from kartramail.outbox.contents import Words
from kartramail.outbox.models import Message, SourceKind
from kartramail.sandbox.letter import Letter, read_letter

_PREVIEW = 140
_KINDS = {SourceKind.TEST: "test", SourceKind.SAMPLE: "sample"}


@dataclass(frozen=True, slots=True)
class Mail:
    """What can be shown of it: the letter, or why there is none. `signed_by` is its d=."""

    letter: Letter | None
    why_not: str
    signed_by: str
    subject: str = ""

    @property
    def preview(self) -> str:
        """The first words of its text, as an inbox shows them."""
        text = (self.letter.text or "") if self.letter else ""
        return " ".join(text[:_PREVIEW].split())


def build_mail(
    settings: Settings, message: Message, sender: ShownSender, words: Words | None
) -> Mail:
    """The mail from the sender that is kept, dated as it was sent, without its signature.

    `words` are those of its content. Raises nothing for a template that breaks.
    """
    signed_by = sender.signing_domain or settings.platform_domain
    own = OWN_SUBJECTS.get(message.source_kind, "")
    if message.content_id is None and not _can_be_built(message):
        kind = _KINDS.get(message.source_kind, "message")
        return Mail(None, f"The words of this {kind} are not kept.", signed_by, own)
    try:
        built = Builder(settings, Composer()).build(
            message, _resolution(sender), words, message.sent_at or message.created_at, _NOTHING
        )
    except (KartraMailError, JinjaError) as error:
        return Mail(None, f"The mail cannot be built: {error}", signed_by, own or "(no subject)")
    letter = read_letter(built.data)
    return Mail(letter, "", signed_by, letter.header("Subject") or "(no subject)")


_NOTHING: Mapping[str, Any] = {}


def _can_be_built(message: Message) -> bool:
    """Whether one of our own templates still has all that it is filled in with.

    Variables are emptied at the end; a sample says of itself what is found out when it leaves.
    """
    return message.variables is not None and message.source_kind is SourceKind.TEST


def _resolution(sender: ShownSender) -> Resolution:
    return Resolution(
        name=sender.name,
        send_from=sender.send_from,
        reply_to=sender.reply_to,
        signing_domain=sender.signing_domain,
        code=sender.code,
        why=sender.why,
        is_as_wanted=True,
    )
