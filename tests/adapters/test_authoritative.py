"""A zone's own name servers, asked one by one, over real DNS."""

from collections.abc import Iterator

import pytest

from kartramail.adapters.authoritative import Authoritative
from kartramail.adapters.resolver import Resolver
from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Found,
    RecordType,
    TextRecord,
    Unreachable,
    UnreachableReason,
)
from kartramail.rules.name_servers import NameServer
from tests.support.dns_server import EVERY_NAME, DnsServer

ZONE = "doeinc.com"
HELLO = Found((TextRecord((b"hello",)),), 300)


@pytest.fixture
def ns1() -> Iterator[DnsServer]:
    with DnsServer(chases=False) as server:
        yield server


@pytest.fixture
def ns2(ns1: DnsServer) -> Iterator[DnsServer]:
    with DnsServer(ns1.port, host="127.0.0.2", chases=False) as server:
        yield server


@pytest.fixture
def authoritative(dns: DnsServer, ns1: DnsServer, ns2: DnsServer) -> Authoritative:
    for number, server in ((1, ns1), (2, ns2)):
        dns.add(ZONE, "NS", f"ns{number}.{ZONE}")
        dns.add(f"ns{number}.{ZONE}", "A", server.host)
    return Authoritative(Resolver([dns.address], timeout=1), ns1.port, timeout=1)


def test_it_knows_the_servers_of_a_zone_with_their_addresses(
    authoritative: Authoritative, dns: DnsServer, ns1: DnsServer
) -> None:
    dns.add(f"ns1.{ZONE}", "AAAA", "2001:db8::1")
    dns.add(ZONE, "NS", "nowhere.test")
    assert authoritative.servers_of(ZONE) == (
        ("nowhere.test", ()),
        (
            "ns1.doeinc.com",
            (NameServer("127.0.0.1", ns1.port), NameServer("2001:db8::1", ns1.port)),
        ),
        ("ns2.doeinc.com", (NameServer("127.0.0.2", ns1.port),)),
    )


def test_a_zone_without_servers_has_none(authoritative: Authoritative) -> None:
    assert authoritative.servers_of("nobody.test") == ()
    assert authoritative.ask("nobody.test", RecordType.TXT, "nobody.test") == ()


def test_servers_that_cannot_be_looked_up_are_unreachable(
    authoritative: Authoritative, dns: DnsServer
) -> None:
    dns.servfail(ZONE)
    assert isinstance(authoritative.servers_of(ZONE), Unreachable)
    assert authoritative.ask(ZONE, RecordType.TXT, ZONE) == ()


def test_each_server_gives_its_own_answer(authoritative: Authoritative, ns1: DnsServer) -> None:
    ns1.add(f"x.{ZONE}", "TXT", "hello")
    answers = authoritative.ask(f"x.{ZONE}", RecordType.TXT, ZONE)
    assert [(each.host, each.answer, each.alias) for each in answers] == [
        ("ns1.doeinc.com", HELLO, None),
        ("ns2.doeinc.com", Absent(AbsentReason.NXDOMAIN), None),
    ]


def test_it_asks_for_what_the_server_knows_itself(
    authoritative: Authoritative, ns1: DnsServer
) -> None:
    seen: list[int] = []

    def note(query: object, true: object) -> list[bytes]:
        seen.append(query.header.rd)  # type: ignore[attr-defined]
        return [true.pack()]  # type: ignore[attr-defined]

    ns1.reply_by(f"x.{ZONE}", note)
    authoritative.ask(f"x.{ZONE}", RecordType.TXT, ZONE)
    assert seen == [0]


@pytest.mark.parametrize("fault", ["servfail", "refuse", "silent", "malformed", "refer"])
def test_a_server_that_fails_is_unreachable_and_the_other_still_counts(
    authoritative: Authoritative, ns1: DnsServer, ns2: DnsServer, fault: str
) -> None:
    ns2.add(f"x.{ZONE}", "TXT", "hello")
    getattr(ns1, fault)(EVERY_NAME)
    first, second = authoritative.ask(f"x.{ZONE}", RecordType.TXT, ZONE)
    assert isinstance(first.answer, Unreachable)
    assert second.answer == HELLO


def test_a_server_that_only_repeats_what_others_say_does_not_count(
    authoritative: Authoritative, ns1: DnsServer
) -> None:
    def from_memory(query: object, true: object) -> list[bytes]:
        true.header.aa = 0  # type: ignore[attr-defined]
        return [true.pack()]  # type: ignore[attr-defined]

    ns1.add(f"x.{ZONE}", "TXT", "hello")
    ns1.reply_by(f"x.{ZONE}", from_memory)
    first, _ = authoritative.ask(f"x.{ZONE}", RecordType.TXT, ZONE)
    assert isinstance(first.answer, Unreachable)
    assert first.answer.why is UnreachableReason.LAME


def test_an_alias_out_of_the_zone_is_followed_and_told(
    authoritative: Authoritative, dns: DnsServer, ns1: DnsServer
) -> None:
    ns1.add(f"x.{ZONE}", "CNAME", "elsewhere.test")
    dns.add("elsewhere.test", "TXT", "hello")
    first, _ = authoritative.ask(f"x.{ZONE}", RecordType.TXT, ZONE)
    assert (first.answer, first.alias) == (HELLO, "elsewhere.test")
    first, _ = authoritative.ask(f"x.{ZONE}", RecordType.CNAME, ZONE)
    assert (first.answer, first.alias) == (Found(("elsewhere.test",), 300), None)


def test_at_most_four_servers_are_asked(
    authoritative: Authoritative, dns: DnsServer, ns1: DnsServer
) -> None:
    for number in range(3, 9):
        dns.add(ZONE, "NS", f"ns{number}.{ZONE}")
        dns.add(f"ns{number}.{ZONE}", "A", ns1.host)
    assert len(authoritative.ask(f"x.{ZONE}", RecordType.TXT, ZONE)) == 4


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.8", "169.254.169.254", "::1", "fd00::1"])
def test_on_the_usual_port_no_private_address_is_asked(dns: DnsServer, address: str) -> None:
    """Anybody can name any address as the name server of their domain."""
    dns.add(ZONE, "NS", f"ns1.{ZONE}")
    dns.add(f"ns1.{ZONE}", "AAAA" if ":" in address else "A", address)
    authoritative = Authoritative(Resolver([dns.address]))
    assert authoritative.servers_of(ZONE) == ((f"ns1.{ZONE}", ()),)
    assert authoritative.ask(ZONE, RecordType.TXT, ZONE) == ()


def test_a_name_that_cannot_exist_asks_nobody(authoritative: Authoritative, ns1: DnsServer) -> None:
    answers = authoritative.ask("a..b", RecordType.TXT, ZONE)
    assert all(isinstance(each.answer, Unreachable) for each in answers)
    assert ns1.count() == 0
