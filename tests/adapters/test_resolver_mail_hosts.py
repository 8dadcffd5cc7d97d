"""R-REPLY on the wire: addresses are asked for only where the MX leaves the matter open."""

from collections.abc import Callable

import pytest
from dnslib import QTYPE, RCODE, DNSRecord

from kartramail.adapters.resolver import Resolver
from kartramail.rules.mail_hosts import judge_mail_host
from tests.support.dns_server import EVERY_NAME, DnsServer, Fault


@pytest.fixture
def resolver(dns: DnsServer) -> Resolver:
    return Resolver([dns.address])


def judge(resolver: Resolver, domain: str) -> str | None:
    return judge_mail_host(domain, *resolver.mail_hosts(domain)).code


def servfail_for(*record_types: str) -> Fault:
    """SERVFAIL for these types, the true answer for the others."""

    def fault(query: DNSRecord, true: DNSRecord) -> list[bytes]:
        if QTYPE[query.q.qtype] in record_types:
            true.header.rcode = RCODE.SERVFAIL
        return [true.pack()]

    return fault


def test_an_mx_is_enough(dns: DnsServer, resolver: Resolver) -> None:
    assert judge(resolver, "doeinc.test") is None
    assert dns.count() == 1


@pytest.mark.parametrize(("record_type", "data"), [("A", "192.0.2.1"), ("AAAA", "2001:db8::1")])
def test_an_address_of_either_family_is_enough(
    dns: DnsServer, resolver: Resolver, record_type: str, data: str
) -> None:
    dns.add("plain.test", record_type, data)
    assert judge(resolver, "plain.test") is None


def test_a_null_mx_is_told_apart(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("nomail.test", "MX", "0 .")
    dns.add("nomail.test", "A", "192.0.2.1")
    assert judge(resolver, "nomail.test") == "null_mx"


def test_a_domain_that_does_not_exist_is_asked_for_once(dns: DnsServer, resolver: Resolver) -> None:
    assert judge(resolver, "nobody.test") == "no_mail_server"
    assert dns.count() == 1


def test_a_domain_with_neither_has_no_mail_server(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("silent.test", "TXT", "nothing else")
    assert judge(resolver, "silent.test") == "no_mail_server"
    assert [dns.count("silent.test", each) for each in ("MX", "A", "AAAA")] == [1, 1, 1]


@pytest.mark.parametrize("spoil", [DnsServer.servfail, DnsServer.malformed, DnsServer.refuse])
def test_no_answer_is_neither_yes_nor_no(
    dns: DnsServer, resolver: Resolver, spoil: Callable[[DnsServer, str], None]
) -> None:
    spoil(dns, "doeinc.test")
    assert judge(resolver, "doeinc.test") == "dns_unreachable"


def test_no_answer_about_addresses_is_neither_yes_nor_no(
    dns: DnsServer, resolver: Resolver
) -> None:
    dns.add("half.test", "TXT", "it exists")

    dns.reply_by("half.test", servfail_for("A", "AAAA"))
    assert judge(resolver, "half.test") == "dns_unreachable"


def test_an_address_of_one_family_is_enough_when_the_other_fails(
    dns: DnsServer, resolver: Resolver
) -> None:
    dns.add("half.test", "AAAA", "2001:db8::1")

    dns.reply_by("half.test", servfail_for("A"))
    assert judge(resolver, "half.test") is None


def test_a_dead_server_is_waited_for_once_and_not_again_on_each_key_stroke(
    dns: DnsServer,
) -> None:
    resolver = Resolver([dns.address], timeout=0.3)
    dns.silent(EVERY_NAME)
    assert judge(resolver, "doeinc.test") == "dns_unreachable"
    asked = dns.count()
    assert judge(resolver, "doeinc.test") == "dns_unreachable"
    assert dns.count() == asked


def test_reserved_names_can_be_saved_in_a_sandbox_without_dns() -> None:
    assert judge(Resolver(answers_special_use=False), "doeinc.test") == "dns_unreachable"
