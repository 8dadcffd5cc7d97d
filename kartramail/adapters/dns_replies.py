"""What one DNS reply says: an answer, an alias to follow, or why it is of no use."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Found,
    MailExchanger,
    Record,
    RecordType,
    TextRecord,
    Unreachable,
    UnreachableReason,
)


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer, and for how many seconds it may be kept."""

    answer: Found[Record] | Absent | Unreachable
    ttl: int = 0


@dataclass(frozen=True, slots=True)
class Alias:
    """The reply ends at a CNAME whose target it says nothing about; the target is to be asked."""

    target: dns.name.Name
    ttl: int


_WHY_BY_CODE = {
    dns.rcode.SERVFAIL: UnreachableReason.SERVFAIL,
    dns.rcode.REFUSED: UnreachableReason.REFUSED,
}


def find_fault(reply: dns.message.Message) -> Unreachable | None:
    """Why this reply is no complete answer, so that another server should be asked; else None."""
    code = reply.rcode()
    if code not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        why = _WHY_BY_CODE.get(code, UnreachableReason.UNEXPECTED)
        return Unreachable(why, dns.rcode.to_text(code).lower())
    if code == dns.rcode.NOERROR and _is_referral(reply):
        return Unreachable(UnreachableReason.LAME, "refers to other servers")
    return None


def _is_referral(reply: dns.message.Message) -> bool:
    """RFC 2308 §2.2: name servers without a SOA say "ask there", not "there is no data"."""
    return (
        not reply.answer
        and not reply.flags & dns.flags.AA
        and _has(reply, dns.rdatatype.NS)
        and not _has(reply, dns.rdatatype.SOA)
    )


def _has(reply: dns.message.Message, rdtype: dns.rdatatype.RdataType) -> bool:
    return any(rrset.rdtype == rdtype for rrset in reply.authority)


def read_reply(reply: dns.message.Message, record_type: RecordType) -> Reading | Alias:
    """What a reply without a fault says of its question, along the aliases that it holds."""
    try:
        # The opcode is that of our query, or the reply would not have been taken for one.
        chain = cast(dns.message.QueryMessage, reply).resolve_chaining()
    except dns.message.ChainTooLong:
        return Reading(Unreachable(UnreachableReason.LOOP, "the aliases in the reply do not end"))
    except dns.exception.DNSException as error:
        return Reading(Unreachable(UnreachableReason.MALFORMED, f"contradicts itself: {error}"))
    ttl = int(chain.minimum_ttl)
    if chain.answer is not None:
        read = _READERS.get(record_type, _read_target)
        return Reading(Found(tuple(read(rdata) for rdata in chain.answer), ttl), ttl)
    has_soa = _has(reply, dns.rdatatype.SOA)
    # RFC 6604 §3: the code of a reply with aliases is that of the last name.
    if reply.rcode() == dns.rcode.NOERROR and chain.cnames and not has_soa:
        return Alias(chain.canonical_name, ttl)
    is_gone = reply.rcode() == dns.rcode.NXDOMAIN
    reason = AbsentReason.NXDOMAIN if is_gone else AbsentReason.NODATA
    # RFC 2308 §5: a negative answer without a SOA is not kept.
    return Reading(Absent(reason), ttl if has_soa else 0)


def show_name(name: dns.name.Name) -> str:
    """A host name as we write it: lower case, no final dot, "." for the root."""
    return name.to_text(omit_final_dot=True).lower()


def _read_mx(rdata: Any) -> Record:
    return MailExchanger(rdata.preference, show_name(rdata.exchange))


def _read_txt(rdata: Any) -> Record:
    return TextRecord(tuple(rdata.strings))


def _read_target(rdata: Any) -> Record:
    return show_name(rdata.target)


def _read_text(rdata: Any) -> Record:
    return str(rdata.to_text())


_READERS: dict[RecordType, Callable[[Any], Record]] = {
    RecordType.A: _read_text,
    RecordType.AAAA: _read_text,
    RecordType.MX: _read_mx,
    RecordType.SOA: _read_text,
    RecordType.TXT: _read_txt,
}
