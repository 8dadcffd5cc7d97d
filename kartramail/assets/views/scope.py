"""Which notification a page is about: what holds everywhere, or what one form or calendar has."""

from dataclasses import dataclass

from flask import abort

from kartramail.assets.kinds import KINDS, TYPES, fires
from kartramail.assets.notification_types import Kind, NotificationType
from kartramail.assets.views.paths import ONE, Named, named, path_of
from kartramail.assets.views.shown import slug_of

LIST = "/settings/notifications"
EVERYWHERE = f"{LIST}/<type_name>"
OF_ONE = f"{ONE}/<type_name>"


@dataclass(frozen=True, slots=True)
class Scope:
    """A notification at one place; `named` None: everywhere."""

    type: NotificationType
    named: Named | None

    @property
    def asset_id(self) -> int | None:
        """The number of what it is of; None everywhere."""
        return self.named.asset.id if self.named else None

    @property
    def asset_name(self) -> str | None:
        """Its name; None everywhere."""
        return self.named.asset.name if self.named else None

    @property
    def parent(self) -> str:
        """The page that lists it."""
        return path_of(self.named.asset) if self.named else LIST

    @property
    def path(self) -> str:
        """The page of its editor."""
        return f"{self.parent}/{self.type.name}"

    @property
    def everywhere(self) -> str:
        """The editor of what holds everywhere."""
        return f"{LIST}/{self.type.name}"

    @property
    def anchor(self) -> str:
        """The id of its row there."""
        return slug_of(self.type)

    @property
    def may_change_words(self) -> bool:
        """Whether there can be words of its own here."""
        return self.named is None or self.type.may_override_text

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds that send it."""
        return kinds_of(self.type)


def kinds_of(one: NotificationType) -> tuple[Kind, ...]:
    """The kinds that have this notification as their own."""
    return tuple(kind for kind in KINDS.values() if one in kind.types)


def find_scope(type_name: str, kind_name: str | None = None, shown_id: str | None = None) -> Scope:
    """What an address names; 404 where there is none such in the account worked in."""
    one = TYPES.get(type_name)
    if one is None:
        abort(404)
    if kind_name is None or shown_id is None:
        return Scope(one, None)
    found = named(kind_name, shown_id)
    if not fires(kind_name, type_name):
        abort(404)
    return Scope(one, found)
