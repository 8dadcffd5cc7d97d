"""A record of a made-up domain, and who gets to see it."""

from dataclasses import dataclass
from enum import StrEnum

from kartramail.rules.dns_answers import RecordType

TOP = "test"


class Asker(StrEnum):
    """Who asks the practice DNS: a query without the RD bit is meant for a zone's own server."""

    RESOLVER = "resolver"
    FIRST_SERVER = "ns1"
    SECOND_SERVER = "ns2"


EVERYBODY = frozenset(Asker)
OWN_SERVERS = frozenset((Asker.FIRST_SERVER, Asker.SECOND_SERVER))


@dataclass(frozen=True, slots=True)
class PracticeRecord:
    """One record. Names are A-labels in lower case without the final dot.

    `value` is the text of a TXT record as one string, and zone file notation for every other type.
    Only those in `seen_by` find it.
    """

    host: str
    type: RecordType
    value: str
    seen_by: frozenset[Asker] = EVERYBODY


def plain(name: str) -> str:
    """A name as it is written in the practice DNS: lower case, without the final dot."""
    return name.rstrip(".").lower()


def made_up_domain(name: str) -> str | None:
    """The made-up domain that `name` is or lies in, `doeinc.test`; None outside of `.test`."""
    labels = plain(name).split(".")
    if len(labels) < 2 or labels[-1] != TOP:
        return None
    return ".".join(labels[-2:])
