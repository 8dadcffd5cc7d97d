"""What can be wrong with an event, in words. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from kartramail.assets.kinds import KINDS, TYPES, types_for

NO_ASSET = "This account has no form, calendar or product with that id."

_YEARS = range(1970, 9000)
"""Those in which time zones and databases can reckon."""

_EXAMPLE = "2026-11-24T14:00:00+01:00"
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class EventFault:
    """What is wrong with an event. `field` is its place, such as "contact/email"."""

    field: str
    code: str
    message: str


def read_start(text: str) -> datetime | EventFault:
    """A time of ISO 8601 with its offset; one without could be any of two dozen."""
    try:
        at = datetime.fromisoformat(text.strip().upper())
    except ValueError:
        return _fault("not_a_time", f"That is no time. Write it by ISO 8601, as {_EXAMPLE}.")
    if at.tzinfo is None:
        return _fault(
            "no_offset",
            "It is not said in which time zone that time is. Add the offset from UTC, as in "
            f"{_EXAMPLE}, or Z for UTC itself.",
        )
    if at.year not in _YEARS:
        return _fault("not_a_time", f"Nothing starts in the year {at.year}. Check the time.")
    return at


def _fault(code: str, message: str) -> EventFault:
    return EventFault("starts_at", code, message)


def unknown_event(name: str) -> EventFault:
    """There is no such event anywhere."""
    near = get_close_matches(name, TYPES, n=1)
    hint = f"Did you mean “{near[0]}”?" if near else f"There are: {_listed(TYPES)}."
    return EventFault(
        "event", "unknown_event", f"There is no event “{name[:_LONGEST_NAME]}”. {hint}"
    )


def not_fired(kind: str, name: str) -> EventFault:
    """There is such an event, but not at things of this kind."""
    plural = KINDS[kind].plural if kind in KINDS else f"Things of the kind {kind}"
    names = _listed(one.name for one in types_for(kind))
    message = f"{plural} do not fire “{name}”. They fire: {names}."
    return EventFault("event", "wrong_kind", message)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
