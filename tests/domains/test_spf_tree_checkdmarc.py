"""R-SPF: our reading of whole trees agrees with checkdmarc, which asks the same DNS server."""

from typing import Any

import dns.resolver
import pytest

from kartramail.adapters.resolver import Resolver
from kartramail.domains.spf_tree import read_spf
from kartramail.rules.dns_records import RecordState
from kartramail.rules.spf import build_spf_record
from tests.support.dns_server import DnsServer

OURS = "bounces.kartra.test"


def judged_by_checkdmarc(server: DnsServer, domain: str) -> dict[str, Any]:
    from checkdmarc.spf import check_spf
    from checkdmarc.utils import DNS_CACHE

    DNS_CACHE.clear()
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = [server.host]
    resolver.port = server.port
    result: dict[str, Any] = check_spf(domain, resolver=resolver, timeout=2, retries=0)
    return result


SOUND = [
    "mx -all",
    "a mx ip4:192.0.2.0/24 ~all",
    "include:one.test include:two.test -all",
    "redirect=one.test",
    "a:gone.test mx:gone.test -all",
    "exists:%{i}.x.test include:two.test ?all",
    "ip6:2001:db8::/32 a:mail.doeinc.test/24//64 -all",
    "include:deep.test -all",
]
BROKEN = [
    "include:gone.test -all",
    "include:many.test -all",
    "include:doeinc.test -all",
    "redirect=gone.test",
    "a:gone.test a:gone2.test a:gone3.test -all",
    "ip4:192.0.2.300 -all",
    "ip4:192.0.2.1~all",
    "ipv4:192.0.2.1 -all",
    "mx -all:x",
    "include:%{x}.a.test -all",
    "redirect=one.test redirect=two.test",
]


@pytest.fixture
def world(dns: DnsServer) -> DnsServer:
    dns.add("one.test", "TXT", "v=spf1 ip4:192.0.2.1 -all")
    dns.add("two.test", "TXT", "v=spf1 include:one.test a:mail.doeinc.test -all")
    dns.add("deep.test", "TXT", "v=spf1 include:two.test include:one.test a:gone.test -all")
    dns.add("many.test", "TXT", "v=spf1 " + " ".join(["include:two.test"] * 4) + " -all")
    return dns


@pytest.mark.parametrize("terms", SOUND)
def test_it_counts_as_checkdmarc_counts(world: DnsServer, terms: str) -> None:
    world.add("doeinc.test", "TXT", f"v=spf1 {terms}")
    theirs = judged_by_checkdmarc(world, "doeinc.test")
    ours = read_spf(Resolver([world.address]), "doeinc.test", OURS)
    assert theirs["valid"], theirs
    assert ours.state is RecordState.FOUND
    assert ours.lookups == theirs["dns_lookups"]
    assert ours.void_lookups == theirs["void_dns_lookups"]


@pytest.mark.parametrize("terms", BROKEN)
def test_what_checkdmarc_refuses_is_wrong(world: DnsServer, terms: str) -> None:
    world.add("doeinc.test", "TXT", f"v=spf1 {terms}")
    assert not judged_by_checkdmarc(world, "doeinc.test")["valid"]
    assert read_spf(Resolver([world.address]), "doeinc.test", OURS).state is RecordState.WRONG


@pytest.mark.parametrize("number", range(50))
def test_what_we_propose_is_valid_for_checkdmarc(world: DnsServer, number: int) -> None:
    """The merged records of fifty domains, and the record of the bounce host that they include."""
    ips = [f"192.0.2.{number}", f"2001:db8::{number:x}", "198.51.100.0/24"][: number % 4]
    world.add(OURS, "TXT", build_spf_record(ips))
    domain = f"brand{number}.test"
    world.add(domain, "MX", "10 mail.doeinc.test")
    world.add(domain, "A", "192.0.2.80")
    records = SOUND[number % 8 :][: number % 4]
    for terms in records:
        world.add(domain, "TXT", f"v=spf1 {terms}")
    ours = Resolver([world.address])
    report = read_spf(ours, domain, OURS)
    if report.merged is None:
        assert report.lookups >= 10
        return
    world.remove(domain, "TXT")
    world.add(domain, "TXT", report.merged)
    theirs = judged_by_checkdmarc(world, domain)
    assert theirs["valid"], (report.merged, theirs)
    assert read_spf(ours, domain, OURS).lookups == theirs["dns_lookups"]
