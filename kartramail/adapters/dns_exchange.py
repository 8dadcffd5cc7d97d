"""One question to several name servers, within one deadline: the first complete reply counts.

The next server is asked at once when all that were asked have failed, and after a short wait when
one is silent; the sockets of the silent ones stay open, so that a late answer still counts. Each
UDP socket is connected: the kernel drops what comes from elsewhere, and tells when nobody listens.
"""

import selectors
import socket
from collections import deque
from collections.abc import Sequence
from time import monotonic
from types import TracebackType
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode

from kartramail.adapters.dns_replies import find_fault
from kartramail.rules.dns_answers import Unreachable, UnreachableReason, more_telling
from kartramail.rules.name_servers import NameServer

UDP_PAYLOAD = 1232  # what passes without fragments nearly everywhere (DNS flag day 2020)
_ROUNDS = 2  # a lost datagram is sent once more
_PATIENCE = 1.0  # seconds of silence, at most, before the next server is asked as well
_TC = 0x02  # in the third octet of a message (RFC 1035 §4.1.1)
_NO_EDNS = (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.BADVERS)  # RFC 6891 §7


def exchange(
    query: dns.message.Message, servers: Sequence[NameServer], deadline: float
) -> dns.message.Message | Unreachable:
    """The first complete reply to `query`; without one by `deadline` (monotonic), why not."""
    if not servers:
        return Unreachable(UnreachableReason.NO_NETWORK, "no name server is configured")
    with _Exchange(query, servers, deadline) as running:
        return running.run()


class _Exchange:
    def __init__(
        self, query: dns.message.Message, servers: Sequence[NameServer], deadline: float
    ) -> None:
        self._queries = dict.fromkeys(servers, query)
        self._turns = deque(list(self._queries) * _ROUNDS)
        self._deadline = deadline
        self._sockets: dict[NameServer, socket.socket] = {}
        self._failures: dict[NameServer, Unreachable] = {}
        self._strays: set[NameServer] = set()
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> "_Exchange":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for opened in self._sockets.values():
            opened.close()
        self._selector.close()

    def run(self) -> dns.message.Message | Unreachable:
        patience = min(_PATIENCE, max(0.0, self._deadline - monotonic()) / len(self._turns))
        next_turn = monotonic()
        while (now := monotonic()) < self._deadline:
            if len(self._failures) == len(self._queries):
                break
            if self._turns and (now >= next_turn or not self._sockets):
                self._send(self._turns.popleft())
                next_turn = monotonic() + patience
                continue
            wake_at = min(next_turn, self._deadline) if self._turns else self._deadline
            for key, _ in self._selector.select(max(0.0, wake_at - now)):
                reply = self._receive(cast(NameServer, key.data))
                if reply is not None:
                    return reply
        return self._sum_up()

    def _send(self, server: NameServer) -> None:
        if server in self._failures:
            return
        try:
            if server not in self._sockets:
                self._sockets[server] = _connect(server)
                self._selector.register(self._sockets[server], selectors.EVENT_READ, server)
            self._sockets[server].send(self._queries[server].to_wire())
        except OSError as error:
            self._fail(server, UnreachableReason.NO_NETWORK, str(error))

    def _receive(self, server: NameServer) -> dns.message.Message | None:
        try:
            wire = self._sockets[server].recv(65535)
        except BlockingIOError:
            return None
        except OSError as error:
            self._fail(server, UnreachableReason.NO_NETWORK, str(error))
            return None
        query = self._queries[server]
        is_cut = len(wire) > 2 and bool(wire[2] & _TC)
        try:
            reply = dns.message.from_wire(wire, question_only=is_cut)
        except (dns.exception.DNSException, ValueError) as error:
            self._note_malformed(server, wire, error)
            return None
        if not query.is_response(reply):
            self._strays.add(server)
            return None
        return self._ask_by_tcp(server) if is_cut else self._weigh(server, reply)

    def _ask_by_tcp(self, server: NameServer) -> dns.message.Message | None:
        """RFC 7766 §5: what did not fit into a datagram is asked for again by TCP.

        It may take its share of the time that is left, so that a server which is deaf by TCP
        leaves some to the others.
        """
        share = (self._deadline - monotonic()) / (len(self._queries) - len(self._failures))
        try:
            reply = dns.query.tcp(
                self._queries[server],
                server.address,
                timeout=max(0.0, share),
                port=server.port,
            )
        except dns.exception.Timeout:
            self._fail(server, UnreachableReason.TIMEOUT, "silent by TCP")
        except dns.query.BadResponse:
            self._fail(server, UnreachableReason.WRONG_REPLY, "another question's reply by TCP")
        except (dns.exception.DNSException, EOFError, ValueError) as error:
            self._fail(server, UnreachableReason.MALFORMED, f"by TCP: {error}")
        except OSError as error:
            self._fail(server, UnreachableReason.NO_NETWORK, f"by TCP: {error}")
        else:
            return self._weigh(server, reply)
        return None

    def _weigh(self, server: NameServer, reply: dns.message.Message) -> dns.message.Message | None:
        """The reply when it is complete. RFC 6891 §7: who chokes on EDNS is asked without it."""
        if reply.rcode() in _NO_EDNS and self._queries[server].edns >= 0:
            plain = dns.message.from_wire(self._queries[server].to_wire())
            plain.use_edns(False)
            self._queries[server] = plain
            self._send(server)
            return None
        if reply.flags & dns.flags.TC:
            self._fail(server, UnreachableReason.MALFORMED, "truncated by TCP")
            return None
        fault = find_fault(reply)
        if fault is not None:
            self._fail(server, fault.why, fault.detail)
            return None
        return reply

    def _note_malformed(self, server: NameServer, wire: bytes, error: Exception) -> None:
        """With our id it is the server's own; without it anybody may have sent it: keep waiting."""
        if wire[:2] == self._queries[server].id.to_bytes(2, "big"):
            self._fail(server, UnreachableReason.MALFORMED, str(error))
        else:
            self._strays.add(server)

    def _fail(self, server: NameServer, why: UnreachableReason, detail: str) -> None:
        self._failures[server] = Unreachable(why, f"{server}: {detail}")
        opened = self._sockets.pop(server, None)
        if opened is not None:
            self._selector.unregister(opened)
            opened.close()

    def _sum_up(self) -> Unreachable:
        for server in self._queries:
            if server in self._failures:
                continue
            if server in self._strays:
                self._fail(server, UnreachableReason.WRONG_REPLY, "only replies to other questions")
            else:
                self._fail(server, UnreachableReason.TIMEOUT, "silent")
        return more_telling([self._failures[server] for server in self._queries])


def _connect(server: NameServer) -> socket.socket:
    """A UDP socket that hears only `server`. Raises OSError, having closed it."""
    found = socket.getaddrinfo(
        server.address, server.port, type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )
    family, kind, protocol, _, address = found[0]
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setblocking(False)
        opened.connect(address)
    except OSError:
        opened.close()
        raise
    return opened
