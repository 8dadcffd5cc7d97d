"""What a kind and a notification are: who gets it, what fills it in, what may change (R-ASSET)."""

from dataclasses import dataclass
from enum import StrEnum

from kartramail.assets.variables import Variable


class Recipient(StrEnum):
    """Whom a notification goes to."""

    CONTACT = "contact"
    AFFILIATE = "affiliate"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class NotificationType:
    """One automatic message. `name` is the word of the API, `summary` says when it is sent.

    `why_fixed` is set exactly where no sender can be chosen, `why_text_fixed` where one form,
    calendar or product cannot have a text of its own. `reminder` names the type that its event
    schedules, `cancels` the one that it takes away (R-EVENT).
    """

    name: str
    title: str
    summary: str
    variables: tuple[Variable, ...] = ()
    recipient: Recipient = Recipient.CONTACT
    why_fixed: str = ""
    why_text_fixed: str = ""
    reminder: str | None = None
    cancels: str | None = None

    @property
    def may_override_sender(self) -> bool:
        """Whether this can be sent from a sender of its own."""
        return not self.why_fixed

    @property
    def may_override_text(self) -> bool:
        """Whether one form, calendar or product can have a text of its own."""
        return not self.why_text_fixed

    @property
    def category(self) -> str:
        """What the type belongs to: the part of its name before the dot."""
        return self.name.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of asset, with the notifications of its own.

    `icon` is a name in templates/_macros/icons.html, `example_name` one that such a thing may have.
    """

    name: str
    title: str
    plural: str
    icon: str
    example_name: str
    types: tuple[NotificationType, ...]
