"""The registry: every kind of thing that sends notifications, and every notification there is.

A new kind is one entry in `_ALL`, and a folder in templates/notification_mail/ for each of its
types. Nothing else knows the kinds by name.
"""

from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

from kartramail.assets.catalogue.calendar import CALENDAR
from kartramail.assets.catalogue.every_kind import OF_EVERY_KIND
from kartramail.assets.catalogue.form import FORM
from kartramail.assets.catalogue.helpdesk import HELPDESK
from kartramail.assets.catalogue.membership import MEMBERSHIP
from kartramail.assets.catalogue.page import PAGE
from kartramail.assets.catalogue.product import PRODUCT
from kartramail.assets.catalogue.survey import SURVEY
from kartramail.assets.catalogue.webinar import WEBINAR
from kartramail.assets.notification_types import Kind, NotificationType, Recipient
from kartramail.assets.variables import COMMON_VARIABLES, Variable

__all__ = [
    "COMMON_VARIABLES",
    "KINDS",
    "TYPES",
    "Kind",
    "NotificationType",
    "Recipient",
    "Variable",
    "example_variables",
    "fires",
    "known_names",
    "types_for",
    "types_of",
    "variables_of",
]

_ALL = (PRODUCT, FORM, SURVEY, CALENDAR, WEBINAR, MEMBERSHIP, HELPDESK, PAGE)


def types_of(kinds: Iterable[Kind]) -> dict[str, NotificationType]:
    """Every type by its name: those of these kinds, and those that all kinds have."""
    own = chain.from_iterable(kind.types for kind in kinds)
    return {one.name: one for one in chain(own, OF_EVERY_KIND)}


KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
TYPES: Mapping[str, NotificationType] = types_of(_ALL)


def fires(kind: str, type_name: str) -> bool:
    """Whether an asset of this kind sends this notification."""
    return any(one.name == type_name for one in types_for(kind))


def types_for(kind: str) -> tuple[NotificationType, ...]:
    """What an asset of this kind sends: its own types, then those to affiliates and the team."""
    return (*KINDS[kind].types, *OF_EVERY_KIND) if kind in KINDS else ()


def variables_of(one: NotificationType) -> tuple[Variable, ...]:
    """All that can be written into it: what its event brings, then the common ones."""
    return (*one.variables, *COMMON_VARIABLES)


def known_names(one: NotificationType) -> frozenset[str]:
    """The names that a template of this type may use; one that ends in `.*` opens all below it."""
    return frozenset(variable.name for variable in variables_of(one))


def example_variables(
    one: NotificationType, *, business_name: str, asset_name: str
) -> dict[str, Any]:
    """Values for a preview or a sample, nested as Liquid reads them."""
    values: dict[str, Any] = {}
    for variable in COMMON_VARIABLES:
        _put(values, variable.name.removesuffix(".*").split("."), variable.example)
    values["business"] = {"name": business_name}
    values["asset"] = {"name": asset_name}
    event = {variable.name: variable.example for variable in one.variables}
    return {**values, **event, "event": event}


def _put(values: dict[str, Any], path: list[str], example: Any) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
    values[path[-1]] = example
