"""CNAME chains: within one reply, over several, and those that never end."""

from collections.abc import Iterator

import pytest

from kartramail.adapters.resolver import Resolver
from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Found,
    RecordType,
    Unreachable,
    UnreachableReason,
)
from tests.support.dns_server import DnsServer


@pytest.fixture(params=[True, False], ids=["in one reply", "a reply each"])
def server(request: pytest.FixtureRequest) -> Iterator[DnsServer]:
    """A server that follows aliases itself, and one that leaves it to the client."""
    with DnsServer(chases=request.param) as running:
        yield running


@pytest.fixture
def resolver(server: DnsServer) -> Resolver:
    return Resolver([server.address])


def test_it_follows_aliases_and_takes_the_shortest_ttl(
    server: DnsServer, resolver: Resolver
) -> None:
    server.add("www.doeinc.test", "CNAME", "web.doeinc.test", ttl=900)
    server.add("web.doeinc.test", "CNAME", "host.other.test", ttl=30)
    server.add("host.other.test", "A", "192.0.2.1", ttl=600)
    assert resolver.lookup("www.doeinc.test", RecordType.A) == Found(("192.0.2.1",), 30)


def test_an_alias_itself_can_be_asked_for(server: DnsServer, resolver: Resolver) -> None:
    server.add("km1.doeinc.test", "CNAME", "km1.platform.test")
    server.add("km1.platform.test", "TXT", "v=DKIM1; p=")
    assert resolver.lookup("km1.doeinc.test", RecordType.CNAME) == Found(
        ("km1.platform.test",), 300
    )


def test_an_alias_to_nothing_is_absent(server: DnsServer, resolver: Resolver) -> None:
    server.add("dangling.doeinc.test", "CNAME", "gone.other.test")
    assert resolver.lookup("dangling.doeinc.test", RecordType.A) == Absent(AbsentReason.NXDOMAIN)


def test_an_alias_to_a_name_without_the_type_is_nodata(
    server: DnsServer, resolver: Resolver
) -> None:
    server.add("alias.doeinc.test", "CNAME", "host.other.test")
    server.add("host.other.test", "A", "192.0.2.1")
    assert resolver.lookup("alias.doeinc.test", RecordType.MX) == Absent(AbsentReason.NODATA)
    assert server.count() == (1 if server.chases else 2)


@pytest.mark.parametrize("names", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_a_loop_is_no_answer(server: DnsServer, resolver: Resolver, names: list[str]) -> None:
    for name, target in zip(names, names[1:] + names[:1], strict=True):
        server.add(f"{name}.loop.test", "CNAME", f"{target}.loop.test")
    answer = resolver.lookup("a.loop.test", RecordType.A)
    assert isinstance(answer, Unreachable)
    assert answer.why is UnreachableReason.LOOP
    assert server.count() <= len(names)


def test_a_chain_that_goes_on_too_long_is_no_answer(server: DnsServer, resolver: Resolver) -> None:
    for hop in range(40):
        server.add(f"n{hop}.long.test", "CNAME", f"n{hop + 1}.long.test")
    server.add("n40.long.test", "A", "192.0.2.1")
    answer = resolver.lookup("n0.long.test", RecordType.A)
    assert isinstance(answer, Unreachable)
    assert answer.why is UnreachableReason.LOOP
