"""DNS look-ups by dnspython: Found, Absent or Unreachable, never an exception (R-REPLY, R-CHECK).

Every look-up, with all its aliases, servers and the step from UDP to TCP, ends within `timeout`
seconds. Names are absolute: no search domain is ever appended. Where a try-out has a practice DNS,
names under `.test`, and only these, go there, step by step along aliases.
"""

import time
from collections.abc import Callable, Sequence
from typing import Literal, cast, overload

import dns.exception
import dns.message
import dns.name
import dns.rcode

from kartramail.adapters.dns_cache import AnswerCache, Question
from kartramail.adapters.dns_exchange import UDP_PAYLOAD, exchange
from kartramail.adapters.dns_replies import Reading, read_reply
from kartramail.adapters.dns_servers import configured_name_servers, system_name_servers
from kartramail.adapters.single_flight import SingleFlight
from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Answer,
    Found,
    MailExchanger,
    Record,
    RecordType,
    TextRecord,
    Unreachable,
    UnreachableReason,
    is_special_use,
)
from kartramail.rules.mail_hosts import MailHosts
from kartramail.rules.name_servers import NameServer

DEFAULT_TIMEOUT = 3.0
_PRACTICE = dns.name.from_text("test.")  # RFC 6761 §6.2: no such name is in the public DNS
_MOST_ALIASES = 16  # as many as dnspython follows within one reply


class Resolver:
    """Look-ups through recursive name servers, remembered for their TTL; safe for many threads.

    `nameservers` are texts such as "192.0.2.1", "192.0.2.1:5353" or "[2001:db8::1]:53"; None means
    the system's, read anew for each look-up that goes out, since a laptop changes networks.
    `timeout` is in seconds for a whole look-up, `cache_size` counts answers. With
    `answers_special_use` off, names reserved by RFC 6761 are not asked for at all. `practice` is
    asked for all names under `.test`, whatever the other two say. `clock` is what TTLs are measured
    by, in seconds. Raises ConfigurationError for a text that names no server.
    """

    def __init__(
        self,
        nameservers: Sequence[str] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        *,
        cache_size: int = 10_000,
        answers_special_use: bool = True,
        practice: NameServer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._servers = None if nameservers is None else configured_name_servers(nameservers)
        self._timeout = timeout
        self._answers_special_use = answers_special_use
        self._practice = practice
        self._cache = AnswerCache(cache_size, clock)
        self._flights: SingleFlight[Question, Answer[Record]] = SingleFlight()

    @overload
    def lookup(
        self, name: str, record_type: Literal[RecordType.MX], *, fresh: bool = False
    ) -> Answer[MailExchanger]: ...
    @overload
    def lookup(
        self, name: str, record_type: Literal[RecordType.TXT], *, fresh: bool = False
    ) -> Answer[TextRecord]: ...
    @overload
    def lookup(
        self,
        name: str,
        record_type: Literal[
            RecordType.A,
            RecordType.AAAA,
            RecordType.CNAME,
            RecordType.NS,
            RecordType.PTR,
            RecordType.SOA,
        ],
        *,
        fresh: bool = False,
    ) -> Answer[str]: ...
    @overload
    def lookup(
        self, name: str, record_type: RecordType, *, fresh: bool = False
    ) -> Answer[Record]: ...
    def lookup(self, name: str, record_type: RecordType, *, fresh: bool = False) -> Answer[Record]:
        """What DNS says of `name` (A-labels; Unicode is converted by UTS 46), aliases followed.

        `fresh` answers neither from the cache nor from another thread's look-up that is under way
        (R-CHECK), but its answer is remembered. A name that cannot exist is Absent.
        """
        return self._look_up(name, record_type, fresh, time.monotonic() + self._timeout)

    def mail_hosts(self, domain: str, *, fresh: bool = False) -> MailHosts:
        """The MX of `domain` and, where it has none, its addresses; all within one timeout.

        What `judge_mail_host` takes: an A or AAAA record stands in for the MX (RFC 5321 §5.1).
        """
        deadline = time.monotonic() + self._timeout

        def ask(record_type: RecordType) -> Answer[Record]:
            return self._look_up(domain, record_type, fresh, deadline)

        exchangers = cast(Answer[MailExchanger], ask(RecordType.MX))
        if exchangers != Absent(AbsentReason.NODATA):
            return MailHosts(exchangers, None)
        address = ask(RecordType.A)
        if address == Absent(AbsentReason.NODATA):
            address = ask(RecordType.AAAA)
        elif isinstance(address, Unreachable):
            other = ask(RecordType.AAAA)
            address = other if isinstance(other, Found) else address
        return MailHosts(exchangers, cast(Answer[str], address))

    def _look_up(
        self, name: str, record_type: RecordType, fresh: bool, deadline: float
    ) -> Answer[Record]:
        asked = _read_name(name)
        if asked is None:
            return Absent(AbsentReason.IMPOSSIBLE_NAME)
        if not self._may_ask(asked):
            return Unreachable(UnreachableReason.SPECIAL_USE, f"{name} is reserved by RFC 6761")
        question = (asked, record_type)
        if fresh:
            return self._ask_and_remember(question, deadline)
        remembered = self._cache.get(question)
        if remembered is not None:
            return remembered
        try:
            return self._flights.run(
                question, lambda: self._ask_and_remember(question, deadline), deadline
            )
        except TimeoutError:
            return Unreachable(UnreachableReason.TIMEOUT, "the look-up under way took too long")

    def _may_ask(self, name: dns.name.Name) -> bool:
        return (
            self._answers_special_use
            or self._is_practice(name)
            or not is_special_use(name.to_text())
        )

    def _is_practice(self, name: dns.name.Name) -> bool:
        return self._practice is not None and name.is_subdomain(_PRACTICE)

    def _servers_for(self, name: dns.name.Name) -> tuple[NameServer, ...]:
        if self._practice is not None and self._is_practice(name):
            return (self._practice,)
        return system_name_servers() if self._servers is None else self._servers

    def _ask_and_remember(self, question: Question, deadline: float) -> Answer[Record]:
        reading = self._ask(question, deadline)
        if self._servers is None and _is_incomplete(reading) and _is_cut_off(deadline):
            reading = Reading(Unreachable(UnreachableReason.NO_NETWORK, "no way to the public DNS"))
        self._cache.put(question, reading.answer, reading.ttl)
        return reading.answer

    def _ask(self, question: Question, deadline: float) -> Reading:
        """Ask the servers, and again for each alias whose end a reply leaves open."""
        name, record_type = question
        ttl: int | None = None
        asked = {name}
        while len(asked) <= _MOST_ALIASES:
            query = dns.message.make_query(name, record_type, use_edns=0, payload=UDP_PAYLOAD)
            reply = exchange(query, self._servers_for(name), deadline)
            if isinstance(reply, Unreachable):
                return Reading(reply)
            step = read_reply(reply, record_type)
            ttl = step.ttl if ttl is None else min(ttl, step.ttl)
            if isinstance(step, Reading):
                return _shorten(step, ttl)
            name = step.target
            if name in asked:
                break
            asked.add(name)
        return Reading(Unreachable(UnreachableReason.LOOP, f"the aliases do not end at {name}"))


def _is_incomplete(reading: Reading) -> bool:
    """A denial without the SOA that a name server must add to it (RFC 2308 §3)."""
    return reading.answer == Absent(AbsentReason.NXDOMAIN) and reading.ttl == 0


def _is_cut_off(deadline: float) -> bool:
    """Whether the system's name server denies the root itself, which always exists.

    So do servers of networks without a way out (a laptop at a hotspot, a closed test network):
    what they deny says nothing of the name that was asked for.
    """
    query = dns.message.make_query(dns.name.root, RecordType.NS)
    reply = exchange(query, system_name_servers(), deadline)
    return not isinstance(reply, Unreachable) and reply.rcode() == dns.rcode.NXDOMAIN


def _shorten(reading: Reading, ttl: int) -> Reading:
    """The reading with the shortest TTL along the way to it."""
    if isinstance(reading.answer, Found):
        return Reading(Found(reading.answer.records, ttl), ttl)
    return Reading(reading.answer, ttl)


def _read_name(name: str) -> dns.name.Name | None:
    """`name` as an absolute DNS name; None for what can be none (RFC 1035 §2.3.4, RFC 5891)."""
    if not name:
        return None
    try:
        return dns.name.from_text(name, idna_codec=dns.name.IDNA_2008_UTS_46)
    except (dns.exception.DNSException, UnicodeError):
        return None
