"""The zone's own servers: they disagree, or the rest of the world has not heard of a change yet."""

from collections.abc import Iterator

import pytest

from kartramail.adapters.authoritative import Authoritative
from kartramail.rules.dns_records import RecordState
from tests.domains.doctoring import Practice, key_record
from tests.support.dns_server import EVERY_NAME, DnsServer

HOST = "km1._domainkey.doeinc.com"


@pytest.fixture
def ns1() -> Iterator[DnsServer]:
    with DnsServer(chases=False) as server:
        yield server


@pytest.fixture
def ns2(ns1: DnsServer) -> Iterator[DnsServer]:
    with DnsServer(ns1.port, host="127.0.0.2", chases=False) as server:
        yield server


@pytest.fixture
def practice(dns: DnsServer, ns1: DnsServer, ns2: DnsServer) -> Practice:
    """The domain as the resolver sees it, with two name servers of its own."""
    practice = Practice(dns)
    for number, server in ((1, ns1), (2, ns2)):
        dns.add("doeinc.com", "NS", f"ns{number}.doeinc.com")
        dns.add(f"ns{number}.doeinc.com", "A", server.host)
    dns.add("doeinc.com", "SOA", "ns1.doeinc.com. hm.doeinc.com. 1 2 3 4 1800")
    practice.authoritative = Authoritative(practice.resolver, ns1.port, timeout=1)
    return practice


def put(practice: Practice, *servers: DnsServer) -> None:
    for server in servers:
        for wanted in practice.wanted.values():
            server.add(wanted.host, wanted.type, wanted.value)


def test_agreeing_servers_give_no_warning(
    practice: Practice, ns1: DnsServer, ns2: DnsServer
) -> None:
    practice.put_right()
    put(practice, ns1, ns2)
    look = practice.look()
    assert {each.state for each in look.findings.values()} == {RecordState.FOUND}
    assert [each.problem for each in look.findings.values()] == [None] * 4
    assert ns1.count(HOST, "TXT") == 1


def test_a_record_that_was_just_added_is_on_its_way(
    practice: Practice, ns1: DnsServer, ns2: DnsServer
) -> None:
    put(practice, ns1, ns2)
    for finding in practice.look().findings.values():
        assert finding.state is RecordState.NOT_FOUND
        assert finding.problem is not None
        assert finding.problem.code == "not_propagated"
        assert "about 30 minutes" in finding.problem.message


def test_a_record_that_was_just_corrected_is_on_its_way(
    practice: Practice, ns1: DnsServer, ns2: DnsServer
) -> None:
    put(practice, ns1, ns2)
    practice.add(HOST, "TXT", key_record("former"), ttl=290)
    finding = practice.finding("km1")
    assert finding.state is RecordState.WRONG
    assert finding.problem is not None
    assert finding.problem.code == "not_propagated"
    assert "about 5 minutes" in finding.problem.message


@pytest.mark.parametrize("is_seen", [True, False])
def test_it_names_servers_that_disagree(practice: Practice, ns1: DnsServer, is_seen: bool) -> None:
    put(practice, ns1)
    if is_seen:
        practice.put_right()
    for finding in practice.look().findings.values():
        assert finding.state is (RecordState.FOUND if is_seen else RecordState.NOT_FOUND)
        assert finding.problem is not None
        assert finding.problem.code == "servers_disagree"
        assert "ns1.doeinc.com has" in finding.problem.message
        assert "ns2.doeinc.com does not" in finding.problem.message


def test_servers_without_an_answer_say_nothing(
    practice: Practice, ns1: DnsServer, ns2: DnsServer
) -> None:
    put(practice, ns1, ns2)
    ns2.servfail(EVERY_NAME)
    assert (problem := practice.finding("km1").problem) is not None
    assert problem.code == "not_propagated"
    ns1.silent(EVERY_NAME)
    finding = practice.finding("km1")
    assert (finding.state, finding.problem) == (RecordState.NOT_FOUND, None)


def test_a_mistake_is_named_when_the_servers_have_it_too(
    practice: Practice, ns1: DnsServer, ns2: DnsServer
) -> None:
    for server in (practice.dns, ns1, ns2):
        server.add(HOST, "TXT", f'"{key_record("km1")}"')
    assert (problem := practice.finding("km1").problem) is not None
    assert problem.code == "quoted_value"


def test_the_servers_tell_a_cname_beside_records_from_two_caches(
    practice: Practice, ns1: DnsServer, ns2: DnsServer
) -> None:
    practice.put_right()
    put(practice, ns1, ns2)
    practice.add("km.doeinc.com", "TXT", "v=spf1 as a cache remembers it -all")
    assert practice.finding("km").state is RecordState.FOUND
    for server in (ns1, ns2):
        server.add("km.doeinc.com", "TXT", "v=spf1 -all")
    assert practice.finding("km").state is RecordState.WRONG
