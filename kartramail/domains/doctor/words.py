"""Phrases that the sentences of the doctor share."""

from collections.abc import Sequence

from kartramail.domains.doctor.scene import Scene
from kartramail.rules.dns_answers import RecordType
from kartramail.rules.dns_records import WantedRecord

_SHOWN = 70
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


def listed(items: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"


def excerpt(value: str) -> str:
    """A value as it fits into a sentence, cut where it is long."""
    shown = "".join(char if char.isprintable() else " " for char in value)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"


def duration(seconds: int) -> str:
    """Seconds in words, rounded up: "about 5 minutes"."""
    for size, word, least in ((_DAY, "day", 2 * _DAY), (_HOUR, "hour", 2 * _HOUR)):
        if seconds >= least:
            return f"about {-(-seconds // size)} {word}s"
    if seconds > _MINUTE:
        return f"about {-(-seconds // _MINUTE)} minutes"
    return f"about {seconds} seconds" if seconds > 1 else "a moment"


def host_to_type(scene: Scene, wanted: WantedRecord) -> str:
    """The host as the person's DNS company wants it typed."""
    company = scene.dns_host
    whole = company is not None and not company.is_host_relative
    return wanted.host if whole else wanted.relative_host


def company_name(scene: Scene) -> str:
    """Who serves the zone, to begin or end a sentence with."""
    company = scene.dns_host
    return company.name if company else "your DNS provider"


def value_to_type(wanted: WantedRecord) -> str:
    """The value, or how one knows it where it is too long for a sentence."""
    if _is_short(wanted):
        return wanted.value
    begin = wanted.value.partition(";")[0]
    return f"the value shown here ({len(wanted.value)} characters that begin with {begin})"


def record_to_type(scene: Scene, wanted: WantedRecord) -> str:
    """ "type TXT, host _dmarc, value v=DMARC1; p=none", for the end of a sentence."""
    value = f"value {wanted.value}" if _is_short(wanted) else f"and {value_to_type(wanted)}"
    return f"type {wanted.type}, host {host_to_type(scene, wanted)}, {value}"


def _is_short(wanted: WantedRecord) -> bool:
    return wanted.type is not RecordType.TXT or len(wanted.value) <= _SHOWN
