"""A zone's own name servers, each asked by itself: what stands there now, caches left aside.

Only the DNS doctor asks them; every other look-up goes through the resolver (interface.md).
"""

import ipaddress
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import monotonic
from typing import TypeAlias

import dns.exception
import dns.flags
import dns.message
import dns.name

from kartramail.adapters.dns_exchange import UDP_PAYLOAD, exchange
from kartramail.adapters.dns_replies import Alias, Reading, read_reply, show_name
from kartramail.adapters.resolver import Resolver
from kartramail.rules.dns_answers import (
    Absent,
    Answer,
    Found,
    Record,
    RecordType,
    Unreachable,
    UnreachableReason,
    more_telling,
)
from kartramail.rules.name_servers import DNS_PORT, NameServer

MOST_SERVERS = 4
_ADDRESS_TYPES = (RecordType.A, RecordType.AAAA)

ZoneServer: TypeAlias = tuple[str, tuple[NameServer, ...]]  # host name, where it is reached


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """What the name server `host` says by itself.

    An alias out of its zone was followed by the resolver; `alias` is the CNAME that stood at the
    name in question, whatever type was asked for.
    """

    host: str
    answer: Answer[Record]
    alias: str | None = None


class Authoritative:
    """The name servers of zones, found through `resolver` and then asked directly.

    `port` is theirs, `timeout` in seconds for a whole call. Anybody can name any address as their
    domain's name server, so on port 53 only addresses of the public internet are asked; another
    port is set on purpose, for servers of one's own. `asks_private` decides it explicitly.
    """

    def __init__(
        self,
        resolver: Resolver,
        port: int = DNS_PORT,
        timeout: float = 3.0,
        *,
        asks_private: bool | None = None,
    ) -> None:
        self._resolver = resolver
        self._port = port
        self._timeout = timeout
        self._asks_private = port != DNS_PORT if asks_private is None else asks_private

    def servers_of(self, zone: str) -> tuple[ZoneServer, ...] | Unreachable:
        """Every name server of `zone`, four of them with addresses; none when the zone has none.

        One whose addresses are not known, or may not be asked, has none.
        """
        answer = self._resolver.lookup(zone, RecordType.NS, fresh=True)
        if isinstance(answer, Unreachable):
            return answer
        if isinstance(answer, Absent):
            return ()
        hosts = sorted(set(answer.records))
        wanted = [(host, each) for host in hosts[:MOST_SERVERS] for each in _ADDRESS_TYPES]
        with ThreadPoolExecutor(max_workers=len(wanted)) as pool:
            found = list(pool.map(lambda pair: self._addresses(*pair), wanted))
        reached: dict[str, tuple[NameServer, ...]] = dict.fromkeys(hosts, ())
        for (host, _), addresses in zip(wanted, found, strict=True):
            reached[host] += addresses
        return tuple(reached.items())

    def ask(self, name: str, record_type: RecordType, zone: str) -> tuple[ServerAnswer, ...]:
        """What each name server of `zone` says of `name`, at most four of them, side by side.

        Empty when the servers are not known.
        """
        servers = self.servers_of(zone)
        if isinstance(servers, Unreachable):
            return ()
        return self.ask_servers(servers, name, record_type)

    def ask_servers(
        self, servers: Sequence[ZoneServer], name: str, record_type: RecordType
    ) -> tuple[ServerAnswer, ...]:
        """As `ask`, of servers that `servers_of` has given before."""
        deadline = monotonic() + self._timeout
        reachable = [each for each in servers if each[1]][:MOST_SERVERS]
        with ThreadPoolExecutor(max_workers=MOST_SERVERS) as pool:
            return tuple(
                pool.map(lambda each: self._ask_one(each, name, record_type, deadline), reachable)
            )

    def _addresses(self, host: str, record_type: RecordType) -> tuple[NameServer, ...]:
        answer = self._resolver.lookup(host, record_type)
        if not isinstance(answer, Found):
            return ()
        found = map(str, answer.records)
        return tuple(NameServer(each, self._port) for each in found if self._may_ask(each))

    def _may_ask(self, address: str) -> bool:
        parsed = ipaddress.ip_address(address)
        return self._asks_private or (parsed.is_global and not parsed.is_multicast)

    def _ask_one(
        self, server: ZoneServer, name: str, record_type: RecordType, deadline: float
    ) -> ServerAnswer:
        host, addresses = server
        read = _ask(addresses, name, record_type, deadline)
        if isinstance(read, Alias):
            target = show_name(read.target)
            followed = self._resolver.lookup(target, record_type, fresh=True)
            return ServerAnswer(host, followed, target)
        return ServerAnswer(host, read.answer)


def _ask(
    addresses: Sequence[NameServer], name: str, record_type: RecordType, deadline: float
) -> Reading | Alias:
    try:
        query = dns.message.make_query(name, record_type, use_edns=0, payload=UDP_PAYLOAD)
    except dns.exception.DNSException as error:
        return Reading(Unreachable(UnreachableReason.UNEXPECTED, str(error)))
    query.flags &= ~dns.flags.RD  # it is asked for what it knows itself
    failures: list[Unreachable] = []
    for address in addresses:
        share = (deadline - monotonic()) / (len(addresses) - len(failures))
        reply = exchange(query, [address], monotonic() + share)
        if isinstance(reply, Unreachable):
            failures.append(reply)
        elif not reply.flags & dns.flags.AA:
            failures.append(Unreachable(UnreachableReason.LAME, f"{address} is not in charge"))
        else:
            return read_reply(reply, record_type)
    return Reading(more_telling(failures))
