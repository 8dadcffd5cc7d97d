"""What the resolver makes of complete answers, asked of a real DNS server."""

import pytest

from kartramail.adapters.resolver import Resolver
from kartramail.rules.dns_answers import (
    Absent,
    AbsentReason,
    Found,
    MailExchanger,
    Record,
    RecordType,
    TextRecord,
    Unreachable,
    UnreachableReason,
)
from tests.support.dns_server import DnsServer


@pytest.fixture
def resolver(dns: DnsServer) -> Resolver:
    return Resolver([dns.address])


@pytest.mark.parametrize(
    ("record_type", "data", "shown"),
    [
        (RecordType.A, "192.0.2.1", "192.0.2.1"),
        (RecordType.AAAA, "2001:db8:0:0::1", "2001:db8::1"),
        (RecordType.CNAME, "Other.Test", "other.test"),
        (RecordType.NS, "ns1.Other.test", "ns1.other.test"),
        (RecordType.PTR, "mail.other.test", "mail.other.test"),
        (RecordType.SOA, "ns.x hm.x 7 1 2 3 4", "ns.x. hm.x. 7 1 2 3 4"),
        (RecordType.MX, "10 Mail.Other.test", MailExchanger(10, "mail.other.test")),
        (RecordType.TXT, "v=spf1 -all", TextRecord((b"v=spf1 -all",))),
    ],
)
def test_it_finds_records_of_each_type(
    dns: DnsServer, resolver: Resolver, record_type: RecordType, data: str, shown: Record
) -> None:
    dns.add("of.test", record_type, data, ttl=77)
    assert resolver.lookup("of.test", record_type) == Found((shown,), 77)


def test_it_finds_all_records_of_a_name(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("several.test", "MX", "10 a.several.test")
    dns.add("several.test", "MX", "20 b.several.test")
    answer = resolver.lookup("several.test", RecordType.MX)
    assert isinstance(answer, Found)
    assert set(answer.records) == {
        MailExchanger(10, "a.several.test"),
        MailExchanger(20, "b.several.test"),
    }


def test_it_knows_a_null_mx(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("nomail.test", "MX", "0 .")
    answer = resolver.lookup("nomail.test", RecordType.MX)
    assert isinstance(answer, Found)
    assert [each.is_null for each in answer.records] == [True]


def test_it_keeps_the_strings_of_a_long_txt_apart(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("key.test", "TXT", "v=DKIM1; p=" + "A" * 392)
    answer = resolver.lookup("key.test", RecordType.TXT)
    assert isinstance(answer, Found)
    assert [len(each) for each in answer.records[0].strings] == [255, 148]
    assert len(answer.records[0].text) == 403


def test_an_unknown_name_is_nxdomain(resolver: Resolver) -> None:
    assert resolver.lookup("nobody.test", RecordType.A) == Absent(AbsentReason.NXDOMAIN)


def test_a_name_without_that_type_is_nodata(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("only-a.test", "A", "192.0.2.1")
    assert resolver.lookup("only-a.test", RecordType.MX) == Absent(AbsentReason.NODATA)


def test_a_name_between_others_is_nodata(dns: DnsServer, resolver: Resolver) -> None:
    """RFC 8020: what has names below it exists."""
    dns.add("km1._domainkey.between.test", "TXT", "x")
    assert resolver.lookup("_domainkey.between.test", RecordType.TXT) == Absent(AbsentReason.NODATA)


def test_names_are_compared_without_case_and_final_dot(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("case.test", "A", "192.0.2.1")
    assert isinstance(resolver.lookup("CASE.Test.", RecordType.A), Found)
    assert isinstance(resolver.lookup("case.test", RecordType.A), Found)
    assert dns.count("case.test") == 1


def test_an_international_name_is_asked_by_its_a_label(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("xn--mnchen-3ya.test", "A", "192.0.2.1")
    assert isinstance(resolver.lookup("xn--mnchen-3ya.test", RecordType.A), Found)
    assert isinstance(resolver.lookup("München.test", RecordType.A), Found)


@pytest.mark.parametrize(
    "name", ["", "a..test", ".test", "a" * 64 + ".test", "abcdefg." * 32 + "test", "a\\999.test"]
)
def test_a_name_that_cannot_exist_is_absent_and_not_asked_for(
    dns: DnsServer, resolver: Resolver, name: str
) -> None:
    assert resolver.lookup(name, RecordType.MX) == Absent(AbsentReason.IMPOSSIBLE_NAME)
    assert dns.count() == 0


@pytest.mark.parametrize("name", ["a b.test", "a\x00b.test", "a\r\nb.test", "*.test", "'--.test"])
def test_a_hostile_name_only_does_not_exist(resolver: Resolver, name: str) -> None:
    assert resolver.lookup(name, RecordType.MX) == Absent(AbsentReason.NXDOMAIN)


def test_no_search_domain_is_appended(dns: DnsServer, resolver: Resolver) -> None:
    assert resolver.lookup("intranet", RecordType.A) == Absent(AbsentReason.NXDOMAIN)
    assert dns.count() == dns.count("intranet", "A") == 1


def test_a_wildcard_answers_for_names_below_it(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("*.wild.test", "A", "192.0.2.9")
    assert resolver.lookup("any.wild.test", RecordType.A) == Found(("192.0.2.9",), 300)


def test_an_answer_within_edns_size_comes_by_udp(dns: DnsServer, resolver: Resolver) -> None:
    for number in range(4):
        dns.add("medium.test", "TXT", f"{number}" * 200)
    answer = resolver.lookup("medium.test", RecordType.TXT)
    assert isinstance(answer, Found)
    assert len(answer.records) == 4
    assert dns.count("medium.test", over="tcp") == 0


def test_an_answer_that_does_not_fit_is_fetched_by_tcp(dns: DnsServer, resolver: Resolver) -> None:
    for number in range(10, 90):
        dns.add("large.test", "TXT", f"{number}" * 120)
    answer = resolver.lookup("large.test", RecordType.TXT)
    assert isinstance(answer, Found)
    assert len(answer.records) == 80
    assert dns.count("large.test", over="tcp") == 1


def test_a_server_without_edns_is_asked_without_it(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("old.test", "A", "192.0.2.1")
    dns.no_edns("old.test")
    assert isinstance(resolver.lookup("old.test", RecordType.A), Found)
    assert dns.count("old.test") == 2


def test_reserved_names_are_not_asked_for_when_nobody_answers_them(dns: DnsServer) -> None:
    resolver = Resolver([dns.address], answers_special_use=False)
    answer = resolver.lookup("doeinc.test", RecordType.MX)
    assert isinstance(answer, Unreachable)
    assert answer.why is UnreachableReason.SPECIAL_USE
    assert dns.count() == 0
    assert isinstance(resolver.lookup("doeinc.com", RecordType.MX), Found)
