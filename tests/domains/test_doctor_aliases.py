"""The mistakes with CNAMEs: their targets, and what stands behind, beside or instead of them."""

import pytest

from kartramail.rules.dns_records import Problem, RecordState
from tests.domains.doctoring import BOUNCES, Practice, key_record
from tests.support.dns_server import DnsServer

HOST = "km.doeinc.com"


def problem_of(
    practice: Practice, key: str = "km", state: RecordState = RecordState.WRONG
) -> Problem:
    finding = practice.finding(key)
    assert finding.state is state
    assert finding.problem is not None
    assert practice.host(key) in finding.problem.message
    return finding.problem


@pytest.fixture
def practice(dns: DnsServer) -> Practice:
    """The domain with all records but the return path."""
    practice = Practice(dns)
    practice.put_right("km")
    return practice


def test_it_names_another_target(practice: Practice) -> None:
    practice.add(HOST, "CNAME", "mail.doeinc.com")
    problem = problem_of(practice)
    assert problem.code == "other_target"
    assert "mail.doeinc.com" in problem.message
    assert BOUNCES in problem.message
    assert BOUNCES in problem.fix


def test_it_names_a_target_that_the_provider_added_the_domain_to(practice: Practice) -> None:
    practice.add(HOST, "CNAME", f"{BOUNCES}.doeinc.com")
    problem = problem_of(practice)
    assert problem.code == "other_target"
    assert "added doeinc.com" in problem.message
    assert f"{BOUNCES}." in problem.fix


@pytest.mark.parametrize(
    ("target", "code"), [(f'"{BOUNCES}"', "quoted_value"), (f"{BOUNCES}\\032", "spaces_in_value")]
)
def test_it_names_a_target_with_something_around_it(
    practice: Practice, target: str, code: str
) -> None:
    practice.add(HOST, "CNAME", target)
    assert problem_of(practice).code == code


@pytest.mark.parametrize(
    ("record_type", "data"),
    [("TXT", "v=spf1 -all"), ("MX", "10 mail.doeinc.com")],
)
@pytest.mark.parametrize("is_thorough", [True, False])
def test_it_names_a_cname_beside_other_records(
    practice: Practice, record_type: str, data: str, is_thorough: bool
) -> None:
    """RFC 1034 §3.6.2."""
    practice.add(HOST, "CNAME", BOUNCES)
    practice.add(HOST, record_type, data)
    finding = practice.finding("km", is_thorough=is_thorough)
    assert finding.state is RecordState.WRONG
    assert finding.problem is not None
    assert finding.problem.code == "cname_beside_records"
    assert f"{record_type} “{data}”" in finding.problem.message


@pytest.mark.parametrize(("record_type", "data"), [("TXT", "hello"), ("MX", "10 mail.doeinc.com")])
def test_it_names_records_that_keep_the_cname_out(
    practice: Practice, record_type: str, data: str
) -> None:
    practice.add(HOST, record_type, data)
    problem = problem_of(practice, state=RecordState.NOT_FOUND)
    assert problem.code == "cname_beside_records"
    assert data in problem.message


def test_a_cname_beside_a_text_that_is_right_is_a_warning(practice: Practice) -> None:
    practice.add(practice.host("km1"), "CNAME", "elsewhere.doeinc.com")
    problem = problem_of(practice, "km1", RecordState.FOUND)
    assert problem.code == "cname_beside_records"
    assert "elsewhere.doeinc.com" in problem.message


def test_it_names_cloudflares_cloud_by_the_address(practice: Practice) -> None:
    practice.add(HOST, "A", "104.21.5.6")
    practice.add(HOST, "AAAA", "2606:4700::6815:506")
    problem = problem_of(practice, state=RecordState.NOT_FOUND)
    assert problem.code == "proxied_cname"
    assert "104.21.5.6" in problem.message
    assert "orange" in problem.message
    assert "DNS only" in problem.fix


def test_it_names_cloudflares_cloud_by_the_name_servers(practice: Practice) -> None:
    practice.add("doeinc.com", "NS", "kim.ns.cloudflare.com")
    practice.add(HOST, "A", "192.0.2.80")
    problem = problem_of(practice, state=RecordState.NOT_FOUND)
    assert problem.code == "proxied_cname"
    assert "orange" in problem.message


def test_it_names_an_address_in_place_of_the_cname(practice: Practice) -> None:
    practice.add(HOST, "A", "192.0.2.80")
    problem = problem_of(practice, state=RecordState.NOT_FOUND)
    assert problem.code == "proxied_cname"
    assert "192.0.2.80" in problem.message
    assert "orange" not in problem.message
    assert BOUNCES in problem.fix


@pytest.mark.parametrize("text", [BOUNCES, f"{BOUNCES}.", f'"{BOUNCES.upper()}"'])
def test_it_names_a_cname_typed_as_a_text(practice: Practice, text: str) -> None:
    practice.add(HOST, "TXT", text)
    problem = problem_of(practice, state=RecordState.NOT_FOUND)
    assert problem.code == "wrong_type"
    assert "TXT" in problem.message
    assert f"type CNAME, host km, value {BOUNCES}" in problem.fix


def test_it_names_a_cname_where_a_text_should_be(dns: DnsServer) -> None:
    practice = Practice(dns)
    practice.put_right("km1")
    practice.add(practice.host("km1"), "CNAME", "keys.another.test")
    problem = problem_of(practice, "km1", RecordState.NOT_FOUND)
    assert problem.code == "wrong_type"
    assert "keys.another.test" in problem.message


# DKIM_RECORDS=cname


@pytest.fixture
def delegated(dns: DnsServer) -> Practice:
    """The domain with CNAMEs for its selectors, all but the first."""
    practice = Practice(dns, is_cname=True)
    practice.put_right("km1")
    return practice


def test_it_names_swapped_selectors(dns: DnsServer) -> None:
    practice = Practice(dns, is_cname=True)
    practice.put_right("km1", "km2")
    practice.add(practice.host("km1"), "CNAME", practice.wanted["km2"].value)
    practice.add(practice.host("km2"), "CNAME", practice.wanted["km1"].value)
    assert problem_of(practice, "km1").code == "swapped_selectors"
    assert practice.host("km1") in problem_of(practice, "km2").message


def test_it_names_a_key_where_a_cname_should_be(delegated: Practice) -> None:
    delegated.add(delegated.host("km1"), "TXT", key_record("km1"))
    problem = problem_of(delegated, "km1", RecordState.NOT_FOUND)
    assert problem.code == "wrong_type"
    assert "a key as a TXT record" in problem.message


def test_a_text_beside_the_cname_of_a_selector_is_named(delegated: Practice) -> None:
    delegated.add(delegated.host("km1"), "CNAME", delegated.wanted["km1"].value)
    delegated.add(delegated.host("km1"), "TXT", key_record("older"))
    assert problem_of(delegated, "km1").code == "cname_beside_records"


@pytest.mark.parametrize("text", [None, "v=DKIM1; p="])
def test_a_key_that_the_operator_did_not_publish_is_our_side(
    delegated: Practice, dns: DnsServer, text: str | None
) -> None:
    target = delegated.wanted["km1"].value
    delegated.add(delegated.host("km1"), "CNAME", target)
    dns.remove(target)
    if text:
        delegated.add(target, "TXT", text)
    problem = problem_of(delegated, "km1")
    assert problem.code == "operator_zone"
    assert "not your mistake" in problem.message


def test_a_key_that_cannot_be_looked_up_is_unreachable(delegated: Practice, dns: DnsServer) -> None:
    delegated.add(delegated.host("km1"), "CNAME", delegated.wanted["km1"].value)
    dns.servfail(delegated.wanted["km1"].value)
    dns.chases = False
    try:
        assert delegated.finding("km1").state is RecordState.UNREACHABLE
    finally:
        dns.chases = True


@pytest.mark.parametrize("name", ["km1._domainkey.doeinc.com", "_domainkey.doeinc.com"])
@pytest.mark.parametrize("is_cname", [True, False])
def test_it_names_a_delegation_to_other_servers(dns: DnsServer, name: str, is_cname: bool) -> None:
    practice = Practice(dns, is_cname=is_cname)
    practice.put_right("km1")
    practice.add(name, "NS", "ns1.another.test")
    problem = problem_of(practice, "km1", RecordState.NOT_FOUND)
    assert problem.code == "delegated"
    assert "ns1.another.test" in problem.message
    assert name in problem.fix


def test_it_names_a_delegation_of_the_return_path(practice: Practice) -> None:
    practice.add(HOST, "NS", "ns1.another.test")
    assert problem_of(practice, state=RecordState.NOT_FOUND).code == "delegated"


# Chains of CNAMEs


@pytest.mark.parametrize("chases", [True, False])
@pytest.mark.parametrize("is_thorough", [True, False])
@pytest.mark.parametrize("key", ["km", "km1"])
def test_a_chain_that_ends_at_the_target_is_found(
    delegated: Practice,
    dns: DnsServer,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    is_thorough: bool,
    chases: bool,
) -> None:
    monkeypatch.setattr(dns, "chases", chases)
    dns.remove(delegated.host(key))
    delegated.add(delegated.host(key), "CNAME", "mail.doeinc.net")
    delegated.add("mail.doeinc.net", "CNAME", "mail2.doeinc.net")
    delegated.add("mail2.doeinc.net", "CNAME", delegated.wanted[key].value)
    finding = delegated.finding(key, is_thorough=is_thorough)
    assert (finding.state, finding.problem) == (RecordState.FOUND, None)
    assert finding.found == ("mail.doeinc.net",)


def test_a_chain_to_another_end_is_wrong(practice: Practice) -> None:
    practice.add(HOST, "CNAME", "mail.doeinc.net")
    practice.add("mail.doeinc.net", "CNAME", "mail.another.test")
    assert problem_of(practice).code == "other_target"


def test_a_chain_that_leads_back_to_itself_is_wrong(practice: Practice) -> None:
    practice.add(HOST, "CNAME", "mail.doeinc.net")
    practice.add("mail.doeinc.net", "CNAME", HOST)
    assert problem_of(practice).code == "other_target"


def test_a_chain_that_is_too_long_is_wrong(practice: Practice, dns: DnsServer) -> None:
    practice.add(HOST, "CNAME", "a0.doeinc.net")
    for number in range(12):
        practice.add(f"a{number}.doeinc.net", "CNAME", f"a{number + 1}.doeinc.net")
    practice.add("a12.doeinc.net", "CNAME", BOUNCES)
    assert practice.finding("km", is_thorough=False).state is RecordState.WRONG
    assert dns.count("a9.doeinc.net") == 0


def test_a_chain_without_an_answer_on_the_way_is_unreachable(
    practice: Practice, dns: DnsServer
) -> None:
    practice.add(HOST, "CNAME", "mail.doeinc.net")
    dns.servfail("mail.doeinc.net")
    assert practice.finding("km").state is RecordState.UNREACHABLE
