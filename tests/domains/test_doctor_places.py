"""Records at wrong names, and wildcards that answer in place of a record."""

import pytest

from kartramail.rules.dns_records import Problem, RecordState
from tests.domains.doctoring import Practice
from tests.support.dns_server import DnsServer

ALL = ("km1", "km2", "km", "_dmarc")


def problem_of(practice: Practice, key: str) -> Problem:
    finding = practice.finding(key)
    assert finding.state is RecordState.NOT_FOUND
    assert finding.problem is not None
    return finding.problem


@pytest.mark.parametrize("is_cname", [False, True])
@pytest.mark.parametrize("domain", ["doeinc.com", "mail.doeinc.com"])
@pytest.mark.parametrize("key", ALL)
def test_it_names_a_doubled_domain(dns: DnsServer, key: str, domain: str, is_cname: bool) -> None:
    practice = Practice(dns, domain, is_cname=is_cname)
    practice.put_right(key)
    wanted = practice.wanted[key]
    practice.add(f"{wanted.host}.doeinc.com", wanted.type, wanted.value)
    problem = problem_of(practice, key)
    assert problem.code == "doubled_domain"
    assert f"{wanted.host}.doeinc.com" in problem.message
    assert f"only {wanted.relative_host} as its host" in problem.fix


def test_the_company_is_named_by_its_name_servers(dns: DnsServer) -> None:
    practice = Practice(dns)
    dns.add("doeinc.com", "NS", "ns11.domaincontrol.com")
    practice.add("km.doeinc.com.doeinc.com", "CNAME", practice.wanted["km"].value)
    assert "GoDaddy adds it" in problem_of(practice, "km").message


@pytest.mark.parametrize(
    ("key", "name", "how"),
    [
        ("km1", "km1.doeinc.com", "without “_domainkey”"),
        ("km1", "km1.domainkey.doeinc.com", "without the underscore"),
        ("km1", "km1_domainkey.doeinc.com", "without the dot"),
        ("km2", "_domainkey.doeinc.com", "without “km2.”"),
        ("km2", "doeinc.com", "at the domain itself"),
        ("km2", "km2._domainkey.www.doeinc.com", "under “www”"),
        ("km2", "www.doeinc.com", "at “www”"),
        ("km1", "_domainkey.km1.doeinc.com", "exchanged"),
        ("_dmarc", "dmarc.doeinc.com", "without the underscore"),
        ("_dmarc", "doeinc.com", "at the domain itself"),
        ("_dmarc", "_dmarc.www.doeinc.com", "under “www”"),
        ("km", "bounces.doeinc.com", "with the beginning of the value"),
        ("km", "doeinc.com", "at the domain itself"),
        ("km", "km.www.doeinc.com", "under “www”"),
        ("km", "_km.doeinc.com", "with an underscore too many"),
    ],
)
def test_it_names_a_wrong_name(dns: DnsServer, key: str, name: str, how: str) -> None:
    practice = Practice(dns)
    practice.put_right(key)
    wanted = practice.wanted[key]
    practice.add(name, wanted.type, wanted.value)
    problem = problem_of(practice, key)
    assert problem.code == "wrong_name"
    assert f" {name}, " in problem.message
    assert how in problem.message
    assert wanted.host in problem.message
    assert problem.fix.endswith(f"to {wanted.relative_host}.")


def test_it_names_a_record_of_a_subdomain_at_the_zone(dns: DnsServer) -> None:
    practice = Practice(dns, "mail.doeinc.com")
    practice.put_right("km1")
    practice.add("km1._domainkey.doeinc.com", "TXT", practice.wanted["km1"].value)
    problem = problem_of(practice, "km1")
    assert problem.code == "wrong_name"
    assert problem.fix.endswith("to km1._domainkey.mail.")


def test_the_policy_of_the_domain_above_is_no_mistake(dns: DnsServer) -> None:
    practice = Practice(dns, "mail.doeinc.com")
    practice.add("_dmarc.doeinc.com", "TXT", "v=DMARC1; p=none")
    practice.add("km.doeinc.com", "CNAME", practice.wanted["km"].value)
    assert practice.finding("_dmarc").problem is None
    assert practice.finding("km").problem is None


def test_a_routine_look_does_not_search(dns: DnsServer) -> None:
    practice = Practice(dns)
    practice.add("km1.doeinc.com", "TXT", practice.wanted["km1"].value)
    assert practice.finding("km1", is_thorough=False).problem is None
    assert dns.count("km1.doeinc.com") == 0


# Wildcards


@pytest.mark.parametrize(
    ("key", "wildcard", "record_type", "data", "state"),
    [
        ("km1", "*._domainkey.doeinc.com", "TXT", "v=DKIM1; p=", RecordState.WRONG),
        ("km1", "*.doeinc.com", "TXT", "v=spf1 -all", RecordState.WRONG),
        ("_dmarc", "*.doeinc.com", "TXT", "v=spf1 -all", RecordState.WRONG),
        ("km", "*.doeinc.com", "CNAME", "shop.test", RecordState.WRONG),
        ("km", "*.doeinc.com", "A", "192.0.2.80", RecordState.NOT_FOUND),
        ("km1", "*.doeinc.com", "CNAME", "shop.test", RecordState.NOT_FOUND),
    ],
)
def test_it_names_a_wildcard(
    dns: DnsServer, key: str, wildcard: str, record_type: str, data: str, state: RecordState
) -> None:
    practice = Practice(dns)
    dns.add("shop.test", "A", "192.0.2.80")
    practice.add(wildcard, record_type, data)
    finding = practice.finding(key)
    assert finding.state is state
    assert finding.problem is not None
    assert finding.problem.code == "wildcard"
    assert f"{record_type} “{data}”" in finding.problem.message
    assert practice.wanted[key].relative_host in finding.problem.fix


def test_a_record_of_its_own_comes_before_the_wildcard(dns: DnsServer) -> None:
    practice = Practice(dns)
    practice.add("*.doeinc.com", "A", "192.0.2.80")
    practice.put_right()
    assert {each.state for each in practice.look().findings.values()} == {RecordState.FOUND}
