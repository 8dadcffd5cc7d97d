"""DNS messages of the practice DNS: a query's octets in, a reply's octets out, by dnslib."""

import struct
from typing import Any

import dnslib
import structlog
from dnslib import CLASS, EDNS0, QTYPE, RCODE, RDMAP, RR, DNSError, DNSLabel, DNSRecord

from kartramail.rules.dns_answers import RecordType
from kartramail.sandbox.practice_answers import TTL, Code, PracticeAnswer, PracticeAnswers
from kartramail.sandbox.practice_records import Asker, PracticeRecord

log = structlog.get_logger()

MOST = 4096
"""Octets of a query that are read at all; no question needs a tenth of it."""

_UDP_PAYLOAD = 1232  # what passes without fragments nearly everywhere (DNS flag day 2020)
_SMALLEST = 512  # octets by UDP without EDNS (RFC 1035 §2.3.4)
_TXT_STRING = 255
_LONGEST_NAME = 253
_LONGEST_LABEL = 63
_HEADER = struct.Struct("!6H")
_QR, _OPCODE, _RD = 0x8000, 0x7800, 0x0100
_TRANSFERS = frozenset((QTYPE.AXFR, QTYPE.IXFR))


def respond(wire: bytes, answers: PracticeAnswers, server: Asker, *, by_udp: bool) -> bytes | None:
    """The reply to `wire`, or None where there is to be none; raises nothing.

    `server` says which one was asked: it answers for itself where the query does not desire
    recursion, and as a resolver where it does.
    """
    if len(wire) < _HEADER.size:
        return None
    number, flags, questions, answer_count, authority, _ = _HEADER.unpack_from(wire)
    if flags & _QR:
        return None  # replies are never replied to: two servers would never end
    if flags & _OPCODE:
        return _bare(number, flags, "NOTIMP")
    if len(wire) > MOST or (questions, answer_count, authority) != (1, 0, 0):
        return _bare(number, flags, "FORMERR")
    query = _parse(wire)
    if query is None:
        return _bare(number, flags, "FORMERR")
    try:
        asker = Asker.RESOLVER if flags & _RD else server
        return _reply(query, answers, asker, by_udp=by_udp)
    except Exception:  # one question must not end the server
        log.exception("practice_dns_failed")
        return _bare(number, flags, "SERVFAIL")


def _parse(wire: bytes) -> DNSRecord | None:
    """The query, if its name is one (RFC 1035 §2.3.4)."""
    try:
        query = DNSRecord.parse(wire)
    except (DNSError, ValueError, LookupError, TypeError, RecursionError, struct.error):
        return None
    labels = query.q.qname.label
    is_name = len(query.q.qname) <= _LONGEST_NAME and all(
        len(each) <= _LONGEST_LABEL for each in labels
    )
    return query if is_name else None


def _reply(
    query: DNSRecord, answers: PracticeAnswers, asker: Asker, *, by_udp: bool
) -> bytes | None:
    asked = query.q.qname
    name = _name(asked)
    if query.q.qclass != CLASS.IN or query.q.qtype in _TRANSFERS:
        found = PracticeAnswer(Code.REFUSED)
    else:
        found = answers.answer(name, _type_name(query.q.qtype), asker)
    if found.code is Code.SILENCE:
        return None
    reply = _begin(query, asker, found.code)
    for record in found.records:
        # The very octets that were asked for, also where the name as text is not quite them.
        owner = asked if record.host == name else DNSLabel(record.host.encode())
        reply.add_answer(_rr(owner, record))
    if found.soa:
        reply.add_auth(_rr(DNSLabel(found.soa.host.encode()), found.soa))
    packed = bytes(reply.pack())
    if by_udp and len(packed) > _room(query):
        reply = _begin(query, asker, found.code)
        reply.header.tc = 1
        packed = bytes(reply.pack())
    return packed


def _begin(query: DNSRecord, asker: Asker, code: Code) -> DNSRecord:
    is_resolver = asker is Asker.RESOLVER
    is_refused = code is Code.REFUSED
    reply = query.reply(ra=int(is_resolver), aa=int(not is_resolver and not is_refused))
    reply.header.rcode = getattr(RCODE, code)
    reply.header.ad = reply.header.z = 0
    if any(each.rtype == QTYPE.OPT for each in query.ar):
        reply.add_ar(EDNS0(udp_len=_UDP_PAYLOAD))  # RFC 6891 §6.1.1
    return reply


def _bare(number: int, flags: int, code: str) -> bytes:
    """A header alone (RFC 1035 §4.1.1), where the question could not be read."""
    kept = flags & (_OPCODE | _RD)
    return _HEADER.pack(number, _QR | kept | getattr(RCODE, code), 0, 0, 0, 0)


def _room(query: DNSRecord) -> int:
    """How many octets the client takes by UDP (RFC 6891 §6.2.3)."""
    offers = [int(each.rclass) for each in query.ar if each.rtype == QTYPE.OPT]
    return min(max(_SMALLEST, *offers), _UDP_PAYLOAD) if offers else _SMALLEST


def _name(label: DNSLabel) -> str:
    """The name as text. A dot or an odd octet within a label is escaped, so that it meets none."""
    return ".".join(
        part.decode("ascii", "backslashreplace").replace(".", "\\046").lower()
        for part in label.label
    )


def _type_name(number: int) -> str:
    names: dict[int, str] = QTYPE.forward
    return names.get(number, str(number))


def _rr(owner: DNSLabel, record: PracticeRecord) -> RR:
    return RR(owner, getattr(QTYPE, record.type), ttl=TTL, rdata=_data(record))


def _data(record: PracticeRecord) -> Any:
    if record.type is RecordType.TXT:
        text = record.value.encode()
        parts = [text[at : at + _TXT_STRING] for at in range(0, len(text), _TXT_STRING)]
        return dnslib.TXT(parts or [b""])
    if record.type is RecordType.SOA:
        first, second, *times = record.value.split()
        return dnslib.SOA(first, second, tuple(map(int, times)))
    return RDMAP[record.type].fromZone(record.value.split(), DNSLabel(""))
