"""A real DNS server on loopback whose zones and faults a test sets while it runs.

    with DnsServer() as server:
        server.add("doeinc.test", "MX", "10 mail.doeinc.test")
        server.silent("slow.test")
        resolver = Resolver([server.address])
        assert server.count("doeinc.test", "MX") == 0

It answers by UDP and TCP on one ephemeral port of `host` (127.0.0.1), truncates what does not fit,
follows aliases as a recursive server does, and knows wildcards (RFC 4592). A name with records, or
with names below it, exists: NODATA for other types; every other name is NXDOMAIN. Negative
answers carry a SOA (RFC 2308) whose minimum is `negative_ttl` unless `add(zone, "SOA", ...)` says
otherwise.

From another program: `python -m tests.support.dns_server` prints its address, then obeys one JSON
array a line, such as `["add", "doeinc.test", "MX", "10 mail.doeinc.test"]` or
`["count", "doeinc.test"]`, prints each result as JSON, and ends when its standard input ends.
"""

import json
import selectors
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Literal

import dnslib
from dnslib import QTYPE, RCODE, RDMAP, RR, DNSError, DNSLabel, DNSRecord

Protocol = Literal["udp", "tcp"]
Fault = Callable[[DNSRecord, DNSRecord], list[bytes]]  # (query, true reply) -> what is sent

EVERY_NAME = "*"  # for the faults: all names at once, as of a server that is down
_MOST_ALIASES = 16


class DnsServer:
    """A scriptable name server, running from construction (or `with`) to `close()`.

    Names are taken in any case, with or without the final dot, and are always absolute. `chases`
    says whether replies follow aliases to their end, as those of a recursive server do;
    `negative_ttl` None leaves the SOA out of negative answers.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        chases: bool = True,
        negative_ttl: int | None = 60,
    ) -> None:
        self.chases = chases
        self.negative_ttl = negative_ttl
        self._records: dict[tuple[str, str], list[RR]] = {}
        self._faults: dict[tuple[str, Protocol], Fault] = {}
        self._delays: dict[tuple[str, Protocol], float] = {}
        self._seen: Counter[tuple[str, str, Protocol]] = Counter()
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._udp, self._tcp = _bind(host, port)
        self.host, self.port = self._udp.getsockname()
        self.address = f"{self.host}:{self.port}"
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="dns server", daemon=True)
        self._thread.start()

    def __enter__(self) -> "DnsServer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop answering and free the port. May be called again."""
        if not self._closing.is_set():
            self._closing.set()
            self._wake.send(b".")
            self._thread.join()
            for each in (self._udp, self._tcp, self._wake, self._woken):
                each.close()

    # What it knows

    def add(self, name: str, rtype: str, *data: str | bytes, ttl: int = 300) -> None:
        """Add one record in zone file notation: `add("doeinc.test", "MX", "10 mail.doeinc.test")`.

        For TXT, `data` are the character strings themselves, without quotes; a single one is
        split at 255 octets. `*.doeinc.test` is a wildcard. A null MX is `"0 ."`.
        """
        key = _plain(name)
        record = RR(key, getattr(QTYPE, rtype), ttl=ttl, rdata=_read_data(rtype, data))
        with self._lock:
            self._records.setdefault((key, rtype), []).append(record)

    def remove(self, name: str, rtype: str | None = None) -> None:
        """Forget the records of `name`, of one type or of all."""
        key = _plain(name)
        with self._lock:
            for found in [each for each in self._records if each[0] == key]:
                if rtype in (None, found[1]):
                    del self._records[found]

    def reset(self) -> None:
        """Forget every record, every fault and every query."""
        with self._lock:
            for each in (self._records, self._faults, self._delays, self._seen):
                each.clear()

    # What it was asked

    def count(
        self, name: str | None = None, rtype: str | None = None, over: Protocol | None = None
    ) -> int:
        """How many queries came in, for that name, of that type, over that protocol."""
        wanted = (None if name is None else _plain(name), rtype, over)
        with self._lock:
            return sum(
                times
                for seen, times in self._seen.items()
                if all(want in (None, have) for want, have in zip(wanted, seen, strict=True))
            )

    # What goes wrong, by name or for EVERY_NAME; by both protocols unless `over` says which

    def servfail(self, name: str, over: Protocol | None = None) -> None:
        """Answer SERVFAIL."""
        self.fail(name, "SERVFAIL", over)

    def refuse(self, name: str, over: Protocol | None = None) -> None:
        """Answer REFUSED."""
        self.fail(name, "REFUSED", over)

    def fail(self, name: str, code: str, over: Protocol | None = None) -> None:
        """Answer with the code of that name, such as NOTIMP."""
        self.reply_by(name, lambda query, _: [_with_code(query, code)], over)

    def silent(self, name: str, over: Protocol | None = None) -> None:
        """Answer nothing; by TCP, hang up."""
        self.reply_by(name, lambda query, true: [], over)

    def truncate(self, name: str) -> None:
        """Say by UDP that the answer did not fit; TCP has it."""
        self.reply_by(name, lambda query, true: [_truncated(query)], "udp")

    def malformed(self, name: str, over: Protocol | None = None) -> None:
        """Answer with the right id and octets that are no DNS message."""
        self.reply_by(name, lambda query, true: [true.pack()[:12] + b"\xff" * 9], over)

    def wrong_id(self, name: str, *, then_true: bool = False) -> None:
        """Answer with another id, as a forger would; `then_true`: and then as is right."""

        def forge(query: DNSRecord, true: DNSRecord) -> list[bytes]:
            wire = true.pack()
            forged = bytes((wire[0] ^ 0xFF,)) + wire[1:]
            return [forged, wire] if then_true else [forged]

        self.reply_by(name, forge)

    def wrong_question(self, name: str) -> None:
        """Answer another question than the one that was asked."""

        def stray(query: DNSRecord, true: DNSRecord) -> list[bytes]:
            true.questions[0].qname = DNSLabel("another.question.test")
            return [true.pack()]

        self.reply_by(name, stray)

    def refer(self, name: str) -> None:
        """Point to other servers, as one does that is asked for a zone which it does not have."""

        def referral(query: DNSRecord, true: DNSRecord) -> list[bytes]:
            reply = query.reply(aa=0, ra=0)
            reply.add_auth(RR(query.q.qname, QTYPE.NS, rdata=dnslib.NS("ns.other.test")))
            return [reply.pack()]

        self.reply_by(name, referral)

    def no_edns(self, name: str) -> None:
        """Answer FORMERR to queries with EDNS, as very old servers do."""

        def old(query: DNSRecord, true: DNSRecord) -> list[bytes]:
            return [_with_code(query, "FORMERR") if query.ar else true.pack()]

        self.reply_by(name, old)

    def reply_by(self, name: str, fault: Fault, over: Protocol | None = None) -> None:
        """Answer with the messages that `fault` makes of the query and the true reply."""
        with self._lock:
            for protocol in _protocols(over):
                self._faults[_plain(name), protocol] = fault

    def slow(self, name: str, seconds: float, over: Protocol | None = None) -> None:
        """Answer, with a fault or without, that much later."""
        with self._lock:
            for protocol in _protocols(over):
                self._delays[_plain(name), protocol] = seconds

    def heal(self, name: str) -> None:
        """Take every fault and delay of `name` away."""
        key = _plain(name)
        with self._lock:
            for protocol in _protocols(None):
                self._delays.pop((key, protocol), None)
                self._faults.pop((key, protocol), None)

    # Wire

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._udp, selectors.EVENT_READ, self._take_datagram)
            selector.register(self._tcp, selectors.EVENT_READ, self._take_connection)
            selector.register(self._woken, selectors.EVENT_READ)
            while not self._closing.is_set():
                for key, _ in selector.select():
                    if key.data is not None:
                        key.data()

    def _take_datagram(self) -> None:
        wire, client = self._udp.recvfrom(65535)
        delay, messages = self._respond(wire, "udp")
        if delay:
            self._later(self._send_datagrams, delay, messages, client)
        else:
            self._send_datagrams(0, messages, client)

    def _send_datagrams(self, delay: float, messages: list[bytes], client: Any) -> None:
        if not self._closing.wait(delay):
            for message in messages:
                self._udp.sendto(message, client)

    def _take_connection(self) -> None:
        connection, _ = self._tcp.accept()
        self._later(self._converse, connection)

    def _converse(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            connection.settimeout(10)
            while len(prefix := stream.read(2)) == 2:
                delay, messages = self._respond(stream.read(struct.unpack("!H", prefix)[0]), "tcp")
                if self._closing.wait(delay) or not messages:
                    return
                for message in messages:
                    connection.sendall(struct.pack("!H", len(message)) + message)

    def _later(self, work: Callable[..., None], *arguments: object) -> None:
        def run() -> None:
            try:
                work(*arguments)
            except OSError:
                return  # the client hung up, or the server was closed meanwhile

        threading.Thread(target=run, daemon=True).start()

    def _respond(self, wire: bytes, protocol: Protocol) -> tuple[float, list[bytes]]:
        try:
            query = DNSRecord.parse(wire)
            name = _plain(str(query.q.qname))
        except (DNSError, IndexError):  # no message, or one without a question
            return 0, []
        with self._lock:
            self._seen[name, QTYPE[query.q.qtype], protocol] += 1
            own, every = (name, protocol), (EVERY_NAME, protocol)
            delay = self._delays.get(own, self._delays.get(every, 0))
            fault = self._faults.get(own, self._faults.get(every))
            true = self._answer(query)
        if fault is not None:
            return delay, fault(query, true)
        reply = true.pack()
        if protocol == "udp" and len(reply) > _room(query):
            reply = _truncated(query)
        return delay, [reply]

    # Answers

    def _answer(self, query: DNSRecord) -> DNSRecord:
        reply = query.reply()
        name, rtype = _plain(str(query.q.qname)), QTYPE[query.q.qtype]
        for _ in range(_MOST_ALIASES):
            source = self._source_of(name)
            records = self._records.get((source, rtype), []) if source is not None else []
            alias = self._records.get((source, "CNAME"), []) if source is not None else []
            for each in records or alias:
                reply.add_answer(RR(name, each.rtype, ttl=each.ttl, rdata=each.rdata))
            if records or (alias and not self.chases):
                return reply
            if not alias:
                if source is None:
                    reply.header.rcode = RCODE.NXDOMAIN
                self._add_soa(reply, name)
                return reply
            name = _plain(str(alias[0].rdata.label))
        return reply

    def _source_of(self, name: str) -> str | None:
        """Whose records speak for `name`: its own, or a wildcard's (RFC 4592); None: NXDOMAIN."""
        if self._exists(name):
            return name
        _, _, above = name.partition(".")
        while above and not self._exists(above):
            _, _, above = above.partition(".")
        wildcard = f"*.{above}" if above else "*"
        return wildcard if self._exists(wildcard) else None

    def _exists(self, name: str) -> bool:
        return any(known == name or known.endswith("." + name) for known, _ in self._records)

    def _add_soa(self, reply: DNSRecord, name: str) -> None:
        zone = name
        while zone and (zone, "SOA") not in self._records:
            _, _, zone = zone.partition(".")
        if zone:
            reply.add_auth(*self._records[zone, "SOA"])
        elif self.negative_ttl is not None:
            zone = ".".join(name.split(".")[-2:])
            times = (1, 3600, 600, 86400, self.negative_ttl)
            soa = dnslib.SOA(f"ns.{zone}", f"hostmaster.{zone}", times)
            reply.add_auth(RR(zone, QTYPE.SOA, ttl=self.negative_ttl, rdata=soa))


def _plain(name: str) -> str:
    return name.rstrip(".").lower()


def _protocols(over: Protocol | None) -> tuple[Protocol, ...]:
    return ("udp", "tcp") if over is None else (over,)


def _read_data(rtype: str, data: Sequence[str | bytes]) -> dnslib.RD:
    if rtype == "TXT":
        strings = [each.encode() if isinstance(each, str) else each for each in data]
        if len(strings) == 1:
            whole = strings[0]
            strings = [whole[at : at + 255] for at in range(0, len(whole), 255)] or [b""]
        return dnslib.TXT(strings)
    words = [each if isinstance(each, str) else each.decode() for each in data]
    return RDMAP[rtype].fromZone(" ".join(words).split(), DNSLabel(""))


def _with_code(query: DNSRecord, code: str) -> bytes:
    reply = query.reply()
    reply.header.rcode = getattr(RCODE, code)
    return bytes(reply.pack())


def _truncated(query: DNSRecord) -> bytes:
    reply = query.reply()
    reply.header.tc = 1
    return bytes(reply.pack())


def _room(query: DNSRecord) -> int:
    """How many octets the client takes by UDP: 512, or what its EDNS says (RFC 6891 §6.2.3)."""
    offers = [int(each.rclass) for each in query.ar if each.rtype == QTYPE.OPT]
    return max(512, *offers) if offers else 512


def _bind(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """One port of `host`, free by UDP and by TCP."""
    for attempt in range(20):
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind((host, port))
        try:
            return udp, socket.create_server(udp.getsockname())
        except OSError:
            udp.close()
            if port or attempt == 19:
                raise
    raise AssertionError("unreachable")


_ZONE_COMMANDS = frozenset(("add", "remove", "reset", "count"))
_FAULT_COMMANDS = frozenset(
    ("servfail", "refuse", "fail", "silent", "truncate", "malformed", "wrong_id", "wrong_question")
) | frozenset(("refer", "no_edns", "slow", "heal"))


def main() -> None:
    """Serve until standard input ends, obeying what comes in on it."""
    with DnsServer(int(sys.argv[1]) if len(sys.argv) > 1 else 0) as server:
        print(server.address, flush=True)
        for line in sys.stdin:
            command, *arguments = json.loads(line)
            if command not in _ZONE_COMMANDS | _FAULT_COMMANDS:
                raise SystemExit(f"no such command: {command}")
            print(json.dumps(getattr(server, command)(*arguments)), flush=True)


if __name__ == "__main__":
    main()
