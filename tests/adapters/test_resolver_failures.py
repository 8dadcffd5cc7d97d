"""Each way of not getting an answer is told apart, and none of them is taken for absence (R-CHECK).

"Did not wait for ever" is judged by bounds far above the time-outs used.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import dns.resolver
import pytest
from dnslib import NS, QTYPE, RR, DNSRecord

from kartramail.adapters.resolver import Resolver
from kartramail.errors import ConfigurationError
from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Found,
    MailExchanger,
    RecordType,
    Unreachable,
    UnreachableReason,
)
from tests.support.dns_server import EVERY_NAME, DnsServer

DOMAIN = "doeinc.test"
FOUND = Found((MailExchanger(10, "mail.doeinc.test"),), 300)
NOT_FOR_EVER = 3.0


@pytest.fixture
def other() -> Iterator[DnsServer]:
    """A second server, which knows the domain."""
    with DnsServer() as running:
        running.add(DOMAIN, "MX", "10 mail.doeinc.test")
        yield running


@contextmanager
def not_for_ever() -> Iterator[None]:
    began = monotonic()
    yield
    assert monotonic() - began < NOT_FOR_EVER


def why_not(resolver: Resolver, name: str = DOMAIN) -> UnreachableReason:
    answer = resolver.lookup(name, RecordType.MX)
    assert isinstance(answer, Unreachable), answer
    return answer.why


FAULTS: list[tuple[Callable[[DnsServer, str], None], UnreachableReason]] = [
    (DnsServer.servfail, UnreachableReason.SERVFAIL),
    (DnsServer.refuse, UnreachableReason.REFUSED),
    (DnsServer.silent, UnreachableReason.TIMEOUT),
    (DnsServer.malformed, UnreachableReason.MALFORMED),
    (DnsServer.wrong_id, UnreachableReason.WRONG_REPLY),
    (DnsServer.wrong_question, UnreachableReason.WRONG_REPLY),
    (DnsServer.refer, UnreachableReason.LAME),
    (lambda server, name: server.fail(name, "NOTIMP"), UnreachableReason.UNEXPECTED),
    (lambda server, name: server.fail(name, "YXDOMAIN"), UnreachableReason.UNEXPECTED),
]


@pytest.mark.parametrize(("spoil", "why"), FAULTS)
def test_each_fault_has_its_own_reason(
    dns: DnsServer, spoil: Callable[[DnsServer, str], None], why: UnreachableReason
) -> None:
    spoil(dns, DOMAIN)
    with not_for_ever():
        assert why_not(Resolver([dns.address], timeout=0.5)) is why


@pytest.mark.parametrize(("spoil", "why"), FAULTS)
def test_the_next_server_is_asked_when_one_fails(
    dns: DnsServer,
    other: DnsServer,
    spoil: Callable[[DnsServer, str], None],
    why: UnreachableReason,
) -> None:
    spoil(dns, DOMAIN)
    resolver = Resolver([dns.address, other.address], timeout=1)
    assert resolver.lookup(DOMAIN, RecordType.MX) == FOUND
    assert dns.count(DOMAIN) >= 1


def test_the_second_server_is_left_alone_while_the_first_answers(
    dns: DnsServer, other: DnsServer
) -> None:
    assert Resolver([dns.address, other.address]).lookup(DOMAIN, RecordType.MX) == FOUND
    assert other.count() == 0


def test_the_detail_names_each_server_and_its_fault(dns: DnsServer, other: DnsServer) -> None:
    dns.servfail(DOMAIN)
    other.refuse(DOMAIN)
    answer = Resolver([other.address, dns.address]).lookup(DOMAIN, RecordType.MX)
    assert isinstance(answer, Unreachable)
    assert answer.why is UnreachableReason.SERVFAIL
    assert answer.detail == f"{other.address}: refused; {dns.address}: servfail"


def test_a_late_answer_still_counts_after_the_question_was_repeated(dns: DnsServer) -> None:
    dns.slow(DOMAIN, 0.7)
    assert Resolver([dns.address], timeout=1.2).lookup(DOMAIN, RecordType.MX) == FOUND
    assert dns.count(DOMAIN) == 2


def test_a_lost_datagram_is_sent_again(dns: DnsServer) -> None:
    lost: list[DNSRecord] = []

    def lose_the_first(query: DNSRecord, true: DNSRecord) -> list[bytes]:
        lost.append(query)
        return [] if len(lost) == 1 else [true.pack()]

    dns.reply_by(DOMAIN, lose_the_first)
    assert Resolver([dns.address], timeout=1).lookup(DOMAIN, RecordType.MX) == FOUND


def test_a_forged_reply_before_the_true_one_is_ignored(dns: DnsServer) -> None:
    dns.wrong_id(DOMAIN, then_true=True)
    assert Resolver([dns.address], timeout=1).lookup(DOMAIN, RecordType.MX) == FOUND


def test_forged_rubbish_before_the_true_reply_is_ignored(dns: DnsServer) -> None:
    def forge(query: DNSRecord, true: DNSRecord) -> list[bytes]:
        wire = true.pack()
        return [bytes((wire[0] ^ 0xFF,)) + b"\xff" * 20, wire]

    dns.reply_by(DOMAIN, forge)
    assert Resolver([dns.address], timeout=1).lookup(DOMAIN, RecordType.MX) == FOUND


def test_the_time_out_is_for_all_servers_together(dns: DnsServer, other: DnsServer) -> None:
    dns.silent(EVERY_NAME)
    other.silent(EVERY_NAME)
    servers = [dns.address, other.address]
    with not_for_ever():
        assert why_not(Resolver(servers, timeout=0.3)) is UnreachableReason.TIMEOUT
    assert min(dns.count(), other.count()) >= 1


def test_the_time_out_is_for_all_aliases_together() -> None:
    with DnsServer(chases=False) as server:
        for hop in range(15):
            server.add(f"n{hop}.test", "CNAME", f"n{hop + 1}.test")
        server.slow(EVERY_NAME, 0.25)
        with not_for_ever():
            why = why_not(Resolver([server.address], timeout=0.6), "n0.test")
    assert why is UnreachableReason.TIMEOUT


def test_the_time_out_covers_the_step_to_tcp(dns: DnsServer) -> None:
    dns.truncate(DOMAIN)
    dns.slow(DOMAIN, 30, over="tcp")
    with not_for_ever():
        assert why_not(Resolver([dns.address], timeout=0.3)) is UnreachableReason.TIMEOUT


def test_a_server_deaf_by_tcp_leaves_time_for_the_next(dns: DnsServer, other: DnsServer) -> None:
    dns.truncate(DOMAIN)
    dns.slow(DOMAIN, 30, over="tcp")
    resolver = Resolver([dns.address, other.address], timeout=1)
    assert resolver.lookup(DOMAIN, RecordType.MX) == FOUND


@pytest.mark.parametrize("fault", [DnsServer.malformed, DnsServer.silent, DnsServer.servfail])
def test_a_failure_by_tcp_is_no_answer(dns: DnsServer, fault: Callable[..., None]) -> None:
    fault(dns, DOMAIN, over="tcp")
    dns.truncate(DOMAIN)
    with not_for_ever():
        answer = Resolver([dns.address], timeout=1).lookup(DOMAIN, RecordType.MX)
    assert isinstance(answer, Unreachable)
    assert dns.count(DOMAIN, over="tcp") == 1


def test_a_port_where_nobody_listens_is_known_at_once() -> None:
    with DnsServer() as gone:
        address = gone.address
    with not_for_ever():
        assert why_not(Resolver([address], timeout=60)) is UnreachableReason.NO_NETWORK


def test_an_ipv6_server_that_is_not_there_is_no_network() -> None:
    assert why_not(Resolver(["[::1]:1"], timeout=60)) is UnreachableReason.NO_NETWORK


def test_a_reply_that_is_cut_short_even_by_tcp_is_malformed(dns: DnsServer) -> None:
    def cut(query: DNSRecord, true: DNSRecord) -> list[bytes]:
        true.header.tc = 1
        return [true.pack()]

    dns.reply_by(DOMAIN, cut)
    assert why_not(Resolver([dns.address])) is UnreachableReason.MALFORMED


def test_name_servers_beside_an_authoritative_no_are_no_referral(dns: DnsServer) -> None:
    """RFC 2308 §2.2: without AA it would say "ask there"."""

    def authoritative(query: DNSRecord, true: DNSRecord) -> list[bytes]:
        reply = query.reply(aa=1)
        reply.add_auth(RR(DOMAIN, QTYPE.NS, rdata=NS("ns.doeinc.test")))
        return [reply.pack()]

    dns.reply_by(DOMAIN, authoritative)
    answer = Resolver([dns.address]).lookup(DOMAIN, RecordType.MX)
    assert answer == Absent(AbsentReason.NODATA)


def test_nxdomain_that_brings_records_contradicts_itself(dns: DnsServer) -> None:
    def contradict(query: DNSRecord, true: DNSRecord) -> list[bytes]:
        true.header.rcode = 3
        return [true.pack()]

    dns.reply_by(DOMAIN, contradict)
    assert why_not(Resolver([dns.address])) is UnreachableReason.MALFORMED


@pytest.mark.parametrize("seed", range(60))
def test_damaged_replies_never_raise(dns: DnsServer, seed: int) -> None:
    chance = random.Random(seed)

    def damage(query: DNSRecord, true: DNSRecord) -> list[bytes]:
        wire = bytearray(true.pack())
        for _ in range(chance.randint(1, 4)):
            wire[chance.randrange(2, len(wire))] = chance.randrange(256)
        return [bytes(wire[: chance.choice((None, chance.randrange(len(wire))))])]

    dns.reply_by(DOMAIN, damage)
    answer = Resolver([dns.address], timeout=0.02).lookup(DOMAIN, RecordType.MX)
    assert isinstance(answer, Found | Absent | Unreachable)


@pytest.fixture
def system_configuration(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str | None], None]:
    """Sets what stands in the system's resolv.conf; None: there is no such file."""
    path = tmp_path_factory.mktemp("etc") / "resolv.conf"
    read = dns.resolver.Resolver.read_resolv_conf
    monkeypatch.setattr(
        dns.resolver.Resolver, "read_resolv_conf", lambda self, _: read(self, os.fspath(path))
    )

    def write(text: str | None) -> None:
        if text is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text)

    return write


@pytest.mark.parametrize("text", [None, "", "search doeinc.test\n", "nameserver nonsense\n"])
def test_a_machine_without_name_servers_is_without_a_network(
    system_configuration: Callable[[str | None], None], text: str | None
) -> None:
    system_configuration(text)
    assert why_not(Resolver(timeout=60)) is UnreachableReason.NO_NETWORK


def test_a_machine_that_comes_online_needs_no_restart(
    system_configuration: Callable[[str | None], None],
) -> None:
    system_configuration(None)
    resolver = Resolver(timeout=60)
    assert why_not(resolver, "one.test") is UnreachableReason.NO_NETWORK
    system_configuration("nameserver 127.255.255.254\n")
    answer = resolver.lookup("two.test", RecordType.MX)
    assert isinstance(answer, Unreachable)
    assert answer.detail.startswith("127.255.255.254:53: ")


def test_a_setting_that_names_no_server_stops_the_start() -> None:
    with pytest.raises(ConfigurationError, match=r"DNS_NAMESERVERS: 'dns\.doeinc\.test'"):
        Resolver(["192.0.2.1", "dns.doeinc.test"])
