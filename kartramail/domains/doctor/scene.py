"""What the doctor looks at: one domain in DNS, each question asked afresh and only once."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from time import monotonic

from kartramail.adapters.authoritative import Authoritative, ServerAnswer, ZoneServer
from kartramail.adapters.resolver import Resolver
from kartramail.domains.dns_hosts import DnsHost, find_dns_host
from kartramail.rules.dns_answers import (
    Absent,
    Answer,
    Found,
    MailExchanger,
    Record,
    RecordType,
    TextRecord,
    Unreachable,
    UnreachableReason,
)
from kartramail.rules.dns_records import WantedRecord
from kartramail.rules.providers import is_public_suffix

SEARCH_SECONDS = 4.0
"""How long the search for a mistake may begin new look-ups."""

_OUT_OF_TIME = Unreachable(UnreachableReason.TIMEOUT, "the search for a mistake took too long")


@dataclass(frozen=True, slots=True)
class Zone:
    """The zone that a domain lies in and its name servers; `name` is None while it is unknown."""

    name: str | None = None
    servers: tuple[str, ...] = ()


class Scene:
    """One domain in DNS while its records are looked at; usable from several threads."""

    def __init__(
        self,
        resolver: Resolver,
        authoritative: Authoritative | None,
        domain: str,
        wanted: Sequence[WantedRecord],
    ) -> None:
        self.domain = domain
        self.wanted = tuple(wanted)
        self.made_up_label = f"x{secrets.token_hex(8)}"  # nobody has a record of that name
        self._resolver = resolver
        self._authoritative = authoritative
        self._search_ends = monotonic() + SEARCH_SECONDS
        self._answers: dict[tuple[str, RecordType], Answer[Record]] = {}
        self._zone: Zone | None = None
        self._servers: tuple[ZoneServer, ...] | None = None
        self._lock = Lock()

    def ask(self, name: str, record_type: RecordType) -> Answer[Record]:
        """What DNS says of `name` now; within the resolver's timeout."""
        question = (name, record_type)
        if question not in self._answers:
            self._answers[question] = self._resolver.lookup(name, record_type, fresh=True)
        return self._answers[question]

    def ask_again(self, name: str, record_type: RecordType) -> Answer[Record]:
        """As `ask`, and once more even if it was asked before."""
        self._answers.pop((name, record_type), None)
        return self.ask(name, record_type)

    def ask_remembered(self, name: str, record_type: RecordType) -> Answer[Record]:
        """As `ask`, from the resolver's memory if it is there: for names of the platform's own."""
        return self._resolver.lookup(name, record_type)

    def search(self, name: str, record_type: RecordType) -> tuple[str, ...]:
        """The values at `name` as people write them; none when there are none, or no time."""
        if self.is_out_of_time:
            return ()
        return shown_values(self.ask(name, record_type))

    @property
    def is_out_of_time(self) -> bool:
        """Whether no further look-ups should begin that only lead on from others."""
        return monotonic() > self._search_ends

    @property
    def zone(self) -> Zone:
        """The zone that the domain lies in: the nearest name upwards that has name servers.

        An alias has none: those seen through it are of the zone that it leads to.
        """
        with self._lock:
            if self._zone is None:
                self._zone = self._find_zone()
            return self._zone

    def _find_zone(self) -> Zone:
        name = self.domain
        while "." in name and not is_public_suffix(name):
            servers = self.search(name, RecordType.NS)
            if servers:
                alias = self.ask(name, RecordType.CNAME)
                if isinstance(alias, Unreachable):
                    break
                if isinstance(alias, Absent):
                    return Zone(name, servers)
            name = name.partition(".")[2]
        return Zone()

    @property
    def dns_host(self) -> DnsHost | None:
        """The company that serves the zone, where it is one that we know."""
        return find_dns_host(self.zone.servers)

    @property
    def knows_servers(self) -> bool:
        """Whether the zone's own servers can be asked."""
        return self._authoritative is not None and self.zone.name is not None

    def ask_servers(self, name: str, record_type: RecordType) -> tuple[ServerAnswer, ...]:
        """What each of the zone's own servers says; empty where they cannot be asked.

        Servers that all were out of reach once are not waited for again.
        """
        zone = self.zone.name
        if self._authoritative is None or zone is None or self.is_out_of_time:
            return ()
        with self._lock:
            if self._servers is None:
                found = self._authoritative.servers_of(zone)
                self._servers = () if isinstance(found, Unreachable) else found
            servers = self._servers
        answers = self._authoritative.ask_servers(servers, name, record_type)
        if all(isinstance(each.answer, Unreachable) for each in answers):
            self._servers = ()
        return answers


def shown_values(answer: Answer[Record]) -> tuple[str, ...]:
    """The records of an answer as people write them, in a steady order."""
    if not isinstance(answer, Found):
        return ()
    return tuple(sorted(_shown(each) for each in answer.records))


def _shown(record: Record) -> str:
    if isinstance(record, TextRecord):
        return b"".join(record.strings).decode("utf-8", errors="replace")
    if isinstance(record, MailExchanger):
        return f"{record.preference} {record.host}"
    return record
