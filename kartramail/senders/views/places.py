"""Where the sender form stands: of the default sender, of another one, or empty for a new one.

All three are one form under the same rules (R-SENDERS); here is what tells them apart.
"""

from abc import ABC, abstractmethod
from typing import Any

from sqlmodel import Session

from kartramail.ids import show_id
from kartramail.senders.card import SenderCard, load_card, load_sender_card
from kartramail.senders.further import TooMany, add_sender
from kartramail.senders.saving import (
    Conflict,
    Saved,
    SenderDetails,
    save_gateway_sender,
    save_sender,
)
from kartramail.web.access import installation, person

Outcome = Saved | Conflict | TooMany


class Place(ABC):
    """A page with the sender form.

    `path` is where it is shown and saved, `button` the word on the button that saves, `after` the
    page that follows a save, `checked` what the live checks are told the form is about.
    """

    path: str
    button: str
    template: str
    after = "/settings/senders"
    checked = ""

    @abstractmethod
    def load(self, session: Session) -> SenderCard | None:
        """The sender that the form is about, None for a new one. Raises NotFound."""

    @abstractmethod
    def save(self, session: Session, details: SenderDetails, version: int | None) -> Outcome:
        """Save what the form holds. Raises NotFound."""


class DefaultSender(Place):
    """Settings › Integrations › KartraMail › Edit."""

    path = "/settings/integrations/kartramail/edit"
    button = "Edit"
    template = "senders/edit.html"
    after = "/settings/integrations"

    def load(self, session: Session) -> SenderCard:
        """The default sender."""
        return load_card(session, person().account_id, installation().settings.platform_domain)

    def save(self, session: Session, details: SenderDetails, version: int | None) -> Outcome:
        """Save the default sender."""
        return save_gateway_sender(
            session, person().account_id, details, version=version, **_who_and_where()
        )


class FurtherSender(Place):
    """Settings › Senders › one of them."""

    button = "Save"
    template = "senders/sender.html"

    def __init__(self, sender_id: int) -> None:
        self._sender_id = sender_id
        self.checked = show_id(sender_id)
        self.path = f"/settings/senders/{self.checked}"

    def load(self, session: Session) -> SenderCard:
        """The sender of that number."""
        platform_domain = installation().settings.platform_domain
        return load_sender_card(session, person().account_id, self._sender_id, platform_domain)

    def save(self, session: Session, details: SenderDetails, version: int | None) -> Outcome:
        """Save the sender of that number."""
        return save_sender(
            session,
            person().account_id,
            self._sender_id,
            details,
            version=version,
            **_who_and_where(),
        )


class NewSender(Place):
    """Settings › Senders › Add a sender."""

    path = "/settings/senders/new"
    button = "Add sender"
    template = "senders/sender.html"
    checked = "new"

    def load(self, session: Session) -> None:
        """There is none yet."""

    def save(self, session: Session, details: SenderDetails, version: int | None) -> Outcome:
        """Add it; a version says nothing about what was not there."""
        return add_sender(session, person().account_id, details, **_who_and_where())


def _who_and_where() -> dict[str, Any]:
    settings = installation().settings
    return {
        "user_id": person().user_id,
        "platform_domain": settings.platform_domain,
        "base_url": settings.base_url,
    }
