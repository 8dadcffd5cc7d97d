"""What DNS can answer: the records, a certain no, or no answer at all.

Only a complete answer is a certain no (R-CHECK): whatever went wrong on the way is `Unreachable`
and must never be read as absence.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar


class RecordType(StrEnum):
    """The record types that mail has to do with, by the names of the IANA registry."""

    A = "A"
    AAAA = "AAAA"
    CNAME = "CNAME"
    MX = "MX"
    NS = "NS"
    PTR = "PTR"
    SOA = "SOA"
    TXT = "TXT"


class AbsentReason(StrEnum):
    """Why it is certain that the records are not there."""

    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    IMPOSSIBLE_NAME = "impossible_name"  # no DNS name can look like this (RFC 1035 §2.3.4)


class UnreachableReason(StrEnum):
    """Why there is no answer, the most telling first (`more_telling` goes by this order)."""

    SPECIAL_USE = "special_use"  # reserved by RFC 6761, and not asked for on purpose
    LOOP = "loop"  # aliases that lead back to themselves, or go on for too long
    SERVFAIL = "servfail"
    REFUSED = "refused"
    LAME = "lame"  # the server only pointed to other servers
    UNEXPECTED = "unexpected"  # another error code
    MALFORMED = "malformed"
    WRONG_REPLY = "wrong_reply"  # only replies to another question or id came
    TIMEOUT = "timeout"
    NO_NETWORK = "no_network"  # no name server is known, or none can be reached


@dataclass(frozen=True, slots=True)
class MailExchanger:
    """One MX record. `host` is lower case without the final dot; the root is "."."""

    preference: int
    host: str

    @property
    def is_null(self) -> bool:
        """True for the record that says "no mail here" (RFC 7505)."""
        return self.host == "."


@dataclass(frozen=True, slots=True)
class TextRecord:
    """One TXT record: its character strings, as they came."""

    strings: tuple[bytes, ...]

    @property
    def text(self) -> str:
        """The strings joined without a space (RFC 7208 §3.3, RFC 6376 §3.6.2.2).

        What is not ASCII becomes U+FFFD, which no record about mail may hold.
        """
        return b"".join(self.strings).decode("ascii", errors="replace")


# A and AAAA come as addresses, CNAME, NS and PTR as host names, SOA as its presentation text.
Record: TypeAlias = MailExchanger | TextRecord | str
R_co = TypeVar("R_co", bound=Record, covariant=True)


@dataclass(frozen=True, slots=True)
class Found(Generic[R_co]):
    """The records, at least one; they may be used for `ttl` more seconds."""

    records: tuple[R_co, ...]
    ttl: int


@dataclass(frozen=True, slots=True)
class Absent:
    """A complete answer: there are no such records."""

    reason: AbsentReason


@dataclass(frozen=True, slots=True)
class Unreachable:
    """No answer. `detail` is for operators and logs, not for the page."""

    why: UnreachableReason
    detail: str = ""


Answer: TypeAlias = Found[R_co] | Absent | Unreachable


def more_telling(failures: list[Unreachable]) -> Unreachable:
    """Of several failures (at least one) the one that says most, with all details joined."""
    order = list(UnreachableReason)
    best = min(failures, key=lambda failure: order.index(failure.why))
    return Unreachable(best.why, "; ".join(failure.detail for failure in failures))


_RFC_6761 = frozenset(
    ("test", "localhost", "invalid", "example", "example.com", "example.net", "example.org")
)
_SINCE_THEN = frozenset(  # RFC 6762, RFC 7686, RFC 9476; ICANN reserved .internal in 2024
    ("local", "onion", "alt", "internal")
)
_SPECIAL_USE = _RFC_6761 | _SINCE_THEN


def is_special_use(name: str) -> bool:
    """True when `name` is, or lies under, a name that public DNS does not serve (RFC 6761)."""
    labels = name.lower().rstrip(".").split(".")
    return any(".".join(labels[start:]) in _SPECIAL_USE for start in range(len(labels)))
