"""What is remembered, for how long, and what is not."""

import pytest

from kartramail.adapters.dns_cache import ABSENT_AT_MOST, FOUND_AT_MOST, UNREACHABLE_FOR
from kartramail.adapters.resolver import Resolver
from kartramail.rules.dns_answers import Absent, AbsentReason, Found, RecordType, Unreachable
from tests.support.dns_server import DnsServer


class HandClock:
    """A clock that runs only when it is told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds

    def run(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def resolver(dns: DnsServer, clock: HandClock) -> Resolver:
    return Resolver([dns.address], timeout=1, cache_size=3, clock=clock)


def test_an_answer_is_remembered_for_its_ttl(
    dns: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    dns.add("kept.test", "A", "192.0.2.1", ttl=100)
    resolver.lookup("kept.test", RecordType.A)
    clock.run(99)
    assert isinstance(resolver.lookup("kept.test", RecordType.A), Found)
    assert dns.count("kept.test") == 1
    clock.run(1)
    assert isinstance(resolver.lookup("kept.test", RecordType.A), Found)
    assert dns.count("kept.test") == 2


def test_a_remembered_answer_tells_the_ttl_that_is_left(
    dns: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    dns.add("kept.test", "A", "192.0.2.1", ttl=100)
    resolver.lookup("kept.test", RecordType.A)
    clock.run(40)
    assert resolver.lookup("kept.test", RecordType.A) == Found(("192.0.2.1",), 60)


def test_a_very_long_ttl_is_capped(dns: DnsServer, resolver: Resolver, clock: HandClock) -> None:
    dns.add("for-ever.test", "A", "192.0.2.1", ttl=30 * 86_400)
    resolver.lookup("for-ever.test", RecordType.A)
    clock.run(FOUND_AT_MOST)
    resolver.lookup("for-ever.test", RecordType.A)
    assert dns.count("for-ever.test") == 2


def test_a_ttl_of_zero_is_not_remembered(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("zero.test", "A", "192.0.2.1", ttl=0)
    resolver.lookup("zero.test", RecordType.A)
    resolver.lookup("zero.test", RecordType.A)
    assert dns.count("zero.test") == 2


def test_types_of_one_name_are_remembered_apart(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("two.test", "A", "192.0.2.1")
    assert isinstance(resolver.lookup("two.test", RecordType.A), Found)
    assert resolver.lookup("two.test", RecordType.MX) == Absent(AbsentReason.NODATA)


@pytest.mark.parametrize(
    ("minimum", "soa_ttl", "kept"),
    [(90, 300, 90), (300, 90, 90), (86_400, 86_400, ABSENT_AT_MOST)],
)
@pytest.mark.parametrize("name", ["nobody.zone.test", "zone.test"])
def test_an_absence_is_remembered_by_the_soa(
    dns: DnsServer,
    resolver: Resolver,
    clock: HandClock,
    name: str,
    minimum: int,
    soa_ttl: int,
    kept: int,
) -> None:
    """RFC 2308 §5: the smaller of the SOA's minimum and its own TTL."""
    dns.add("zone.test", "SOA", f"ns.zone.test hm.zone.test 1 2 3 4 {minimum}", ttl=soa_ttl)
    resolver.lookup(name, RecordType.MX)
    clock.run(kept - 1)
    assert isinstance(resolver.lookup(name, RecordType.MX), Absent)
    assert dns.count(name) == 1
    clock.run(1)
    resolver.lookup(name, RecordType.MX)
    assert dns.count(name) == 2


def test_an_absence_without_a_soa_is_not_remembered(clock: HandClock) -> None:
    with DnsServer(negative_ttl=None) as server:
        resolver = Resolver([server.address], clock=clock)
        resolver.lookup("nobody.test", RecordType.MX)
        assert resolver.lookup("nobody.test", RecordType.MX) == Absent(AbsentReason.NXDOMAIN)
        assert server.count("nobody.test") == 2


def test_a_failure_is_remembered_only_for_seconds(
    dns: DnsServer, resolver: Resolver, clock: HandClock
) -> None:
    dns.servfail("doeinc.test")
    resolver.lookup("doeinc.test", RecordType.MX)
    dns.heal("doeinc.test")
    clock.run(UNREACHABLE_FOR - 1)
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX), Unreachable)
    assert dns.count("doeinc.test") == 1
    clock.run(1)
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX), Found)


def test_a_failure_of_one_name_does_not_touch_another(dns: DnsServer, resolver: Resolver) -> None:
    dns.servfail("doeinc.test")
    resolver.lookup("doeinc.test", RecordType.MX)
    assert isinstance(resolver.lookup("doeinc.com", RecordType.MX), Found)


def test_a_fresh_look_up_asks_again_and_is_remembered(dns: DnsServer, resolver: Resolver) -> None:
    """R-CHECK: checks never answer from our own cache."""
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX), Found)
    dns.remove("doeinc.test")
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX), Found)
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX, fresh=True), Absent)
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX), Absent)
    assert dns.count("doeinc.test") == 2


def test_a_fresh_look_up_does_not_repeat_a_remembered_failure(
    dns: DnsServer, resolver: Resolver
) -> None:
    dns.servfail("doeinc.test")
    resolver.lookup("doeinc.test", RecordType.MX)
    dns.heal("doeinc.test")
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX, fresh=True), Found)


def test_a_fresh_failure_does_not_displace_a_good_answer(
    dns: DnsServer, resolver: Resolver
) -> None:
    resolver.lookup("doeinc.test", RecordType.MX)
    dns.servfail("doeinc.test")
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX, fresh=True), Unreachable)
    assert isinstance(resolver.lookup("doeinc.test", RecordType.MX), Found)


def test_the_least_recently_used_is_forgotten_first(dns: DnsServer, resolver: Resolver) -> None:
    for name in ("a.test", "b.test", "c.test", "d.test"):
        dns.add(name, "A", "192.0.2.1")
    for name in ("a.test", "b.test", "c.test", "a.test", "d.test"):
        resolver.lookup(name, RecordType.A)
    resolver.lookup("a.test", RecordType.A)
    assert dns.count("a.test") == 1
    resolver.lookup("b.test", RecordType.A)
    assert dns.count("b.test") == 2


def test_a_cache_of_size_zero_remembers_nothing(dns: DnsServer) -> None:
    resolver = Resolver([dns.address], cache_size=0)
    resolver.lookup("doeinc.test", RecordType.MX)
    resolver.lookup("doeinc.test", RecordType.MX)
    assert dns.count("doeinc.test") == 2
