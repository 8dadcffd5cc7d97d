"""The records that authenticate a domain, and what a look at DNS says of each (R-RECORDS)."""

from dataclasses import dataclass
from enum import StrEnum

from kartramail.rules.dns_answers import RecordType


class Purpose(StrEnum):
    """What a record is for; the words of the API."""

    DKIM = "dkim"
    RETURN_PATH = "return_path"
    DMARC = "dmarc"


class RecordState(StrEnum):
    """What the last look at DNS said of a record (R-CHECK)."""

    NOT_FOUND = "not_found"
    WRONG = "wrong"
    FOUND = "found"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class WantedRecord:
    """One record as the DNS provider wants it. Names are A-labels without the final dot.

    `key` names it within its domain ("km1", "km2", "km", "_dmarc"). `zone` is the zone that it goes
    into. `also` are older values that count as found until the new one is seen (R-DKIM).
    """

    key: str
    purpose: Purpose
    type: RecordType
    host: str
    zone: str
    value: str
    also: tuple[str, ...] = ()

    @property
    def relative_host(self) -> str:
        """The host as most providers want it typed: without the zone, "@" for the zone itself."""
        if self.host == self.zone:
            return "@"
        return self.host.removesuffix(f".{self.zone}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake with a name. `message` says what is there and why that is wrong, `fix` what to do.

    Both are whole sentences for people who know nothing of DNS.
    """

    code: str
    message: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at DNS says of one wanted record.

    `found` are the values that stand there, as people would type them. `problem` may stand beside
    every state but NOT_FOUND without a guess of why. `ttl` is in seconds where an answer had one.
    """

    state: RecordState
    found: tuple[str, ...] = ()
    problem: Problem | None = None
    ttl: int | None = None
