"""What the name servers of made-up domains answer: the records by default, and the published ones.

Every `X.test` exists, can receive mail, and has two name servers, without anybody doing anything.
Four of them are there for seeing what goes wrong (R-REPLY, R-CHECK):

| domain        | what it shows                                                       |
| ------------- | ------------------------------------------------------------------- |
| `nomail.test` | a null MX: the domain says that it takes no mail (RFC 7505)         |
| `gone.test`   | a domain that does not exist                                        |
| `broken.test` | name servers that answer SERVFAIL: nobody can say anything about it |
| `silent.test` | name servers that never answer                                      |
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kartramail.rules.dns_answers import RecordType
from kartramail.sandbox.practice_records import TOP, Asker, PracticeRecord, made_up_domain, plain

NO_MAIL, GONE, BROKEN, SILENT = "nomail.test", "gone.test", "broken.test", "silent.test"
TTL = 2
"""Seconds of every record and of every "no": what is changed by a button shows at once."""

_INFRASTRUCTURE = "practice.test"
_MAIL_ADDRESS = "192.0.2.25"  # RFC 5737: an address of nobody
_MOST_ALIASES = 8
_DOMAIN_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)

Published = Callable[[str], Iterable[PracticeRecord]]


class Code(StrEnum):
    """How a question was answered; by the names of the IANA registry, but for `SILENCE`."""

    NOERROR = "NOERROR"
    NXDOMAIN = "NXDOMAIN"
    SERVFAIL = "SERVFAIL"
    REFUSED = "REFUSED"
    SILENCE = "silence"


@dataclass(frozen=True, slots=True)
class PracticeAnswer:
    """`records` are the answer, aliases first; `soa` stands beside a "no" (RFC 2308 §3)."""

    code: Code
    records: tuple[PracticeRecord, ...] = ()
    soa: PracticeRecord | None = None


class PracticeAnswers:
    """Answers from what `published` says of a made-up domain.

    `servers` are the addresses of the name servers by their first label, "ns1" and "ns2".
    """

    def __init__(self, published: Published, servers: Mapping[str, str]) -> None:
        self._published = published
        self._servers = dict(servers)

    def answer(self, name: str, record_type: str, asker: Asker) -> PracticeAnswer:
        """What the servers say of `name`; `record_type` by its IANA name, "ANY" for all.

        Aliases are followed within `.test` for a resolver, within the domain for others.
        """
        name = plain(name)
        domain = made_up_domain(name)
        if domain is None:
            return self._answer_top(record_type) if name == TOP else PracticeAnswer(Code.REFUSED)
        if domain in (BROKEN, SILENT):
            return PracticeAnswer(Code.SERVFAIL if domain == BROKEN else Code.SILENCE)
        chain: list[PracticeRecord] = []
        while len(chain) < _MOST_ALIASES:
            step = self._look(name, domain, record_type, asker)
            chain += step.records
            if not _is_alias(step, record_type):
                return PracticeAnswer(step.code, tuple(chain), step.soa)
            name = plain(step.records[0].value)
            domain = made_up_domain(name) or ""
            if not self._may_follow(domain, chain[0].host, asker):
                break
        return PracticeAnswer(Code.NOERROR, tuple(chain))

    def _may_follow(self, domain: str, asked: str, asker: Asker) -> bool:
        if asker is Asker.RESOLVER:
            return domain not in ("", BROKEN, SILENT)
        return domain == made_up_domain(asked)

    def _answer_top(self, record_type: str) -> PracticeAnswer:
        """`test` itself: there are name servers and nothing else."""
        found = tuple(each for each in self._of_zone(TOP) if record_type in (each.type, "ANY"))
        return PracticeAnswer(Code.NOERROR, found, None if found else self._soa(TOP))

    def _look(self, name: str, domain: str, record_type: str, asker: Asker) -> PracticeAnswer:
        """One name, its alias not followed."""
        if domain == GONE or not _DOMAIN_LABEL.fullmatch(domain.removesuffix(f".{TOP}")):
            return PracticeAnswer(Code.NXDOMAIN, soa=self._soa(TOP))
        zone = _visible((*self._standing(domain), *self._published(domain)), asker)
        source = _source_of(name, domain, zone)
        if source is None:
            return PracticeAnswer(Code.NXDOMAIN, soa=self._soa(domain))
        here = zone.get(source, [])
        found = [each for each in here if record_type in (each.type, "ANY")]
        found = found or [each for each in here if each.type is RecordType.CNAME][:1]
        if not found:
            return PracticeAnswer(Code.NOERROR, soa=self._soa(domain))
        spoken = (PracticeRecord(name, each.type, each.value) for each in found)
        return PracticeAnswer(Code.NOERROR, tuple(dict.fromkeys(spoken)))

    def _standing(self, domain: str) -> list[PracticeRecord]:
        """What every made-up domain has by itself."""
        records = self._of_zone(domain)
        if domain == _INFRASTRUCTURE:
            return records + [
                PracticeRecord(f"{label}.{domain}", _address_type(address), address)
                for label, address in self._servers.items()
            ]
        if domain == NO_MAIL:
            return [*records, PracticeRecord(domain, RecordType.MX, "0 .")]
        return [
            *records,
            PracticeRecord(domain, RecordType.MX, f"10 mail.{domain}"),
            PracticeRecord(f"mail.{domain}", RecordType.A, _MAIL_ADDRESS),
        ]

    def _of_zone(self, zone: str) -> list[PracticeRecord]:
        names = [f"{label}.{_INFRASTRUCTURE}" for label in self._servers]
        return [
            self._soa(zone),
            *(PracticeRecord(zone, RecordType.NS, each) for each in names),
        ]

    def _soa(self, zone: str) -> PracticeRecord:
        value = f"ns1.{_INFRASTRUCTURE} hostmaster.{_INFRASTRUCTURE} 1 3600 600 86400 {TTL}"
        return PracticeRecord(zone, RecordType.SOA, value)


def _is_alias(step: PracticeAnswer, record_type: str) -> bool:
    found = step.records
    return bool(found) and found[0].type is RecordType.CNAME and record_type not in ("CNAME", "ANY")


def _address_type(address: str) -> RecordType:
    return RecordType.AAAA if ":" in address else RecordType.A


def _visible(records: Iterable[PracticeRecord], asker: Asker) -> dict[str, list[PracticeRecord]]:
    zone: dict[str, list[PracticeRecord]] = {}
    for each in records:
        if asker in each.seen_by:
            zone.setdefault(each.host, []).append(each)
    return zone


def _source_of(name: str, domain: str, zone: Mapping[str, list[PracticeRecord]]) -> str | None:
    """Whose records speak for `name`, its own or a wildcard's (RFC 4592 §3.3.1); None: nobody's."""
    above = name
    while above != domain and not _exists(above, zone):
        above = above.partition(".")[2]
    if above == name:
        return name
    wildcard = f"*.{above}"
    return wildcard if wildcard in zone else None


def _exists(name: str, zone: Mapping[str, list[PracticeRecord]]) -> bool:
    """Whether it has records, or names with records below it (RFC 8020)."""
    return any(host == name or host.endswith(f".{name}") for host in zone)
