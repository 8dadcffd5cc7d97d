"""What an event fills its messages in with (R-VARS). Pure.

`contact`, `business`, `asset` and `event` are ours to say: nothing that a program sends along takes
their place.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from kartramail.assets.notification_types import NotificationType

_OURS = frozenset({"contact", "business", "asset", "event"})

# Not strftime, whose words would follow the language of the machine.
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July", "August", "September"),
    *("October", "November", "December"),
)


def variables_of(
    notification: NotificationType,
    *,
    contact: Mapping[str, Any],
    variables: Mapping[str, Any],
    business_name: str,
    asset_name: str,
    starts_at: datetime | None = None,
    time_zone: str = "UTC",
) -> dict[str, Any]:
    """All variables of one message, nested as Liquid reads them.

    What was sent along stands under `event`, and what its type knows of also by its own name.
    `starts_at` is said in words in `time_zone`, and once more as `starts_at_iso`.
    """
    sent: dict[str, Any] = dict(variables)
    when: dict[str, Any] = {}
    if starts_at is not None:
        local = starts_at.astimezone(_zone(time_zone))
        when = {"starts_at": time_in_words(local), "starts_at_iso": local.isoformat()}
    known = {one.name.partition(".")[0] for one in notification.variables} - _OURS
    return {
        **{name: value for name, value in sent.items() if name in known},
        **when,
        "contact": dict(contact),
        "business": {"name": business_name},
        "asset": {"name": asset_name},
        "event": {**when, **sent},
    }


def time_in_words(local: datetime) -> str:
    """A time with its zone as people read it: "Tuesday 24 November 2026 at 14:00 (CET)"."""
    day, month = _DAYS[local.weekday()], _MONTHS[local.month - 1]
    return f"{day} {local.day} {month} {local.year} at {local:%H:%M} ({_zone_in_words(local)})"


def _zone_in_words(local: datetime) -> str:
    """Zones without a name of letters are called by their offset: "-03" alone says nothing."""
    name = local.tzname() or ""
    return f"UTC{name}" if name.startswith(("+", "-")) else name


def _zone(name: str) -> ZoneInfo:
    """The account's zone; UTC where this machine does not know it any more."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
