"""R-DMARC: the record that governs a domain, found by the tree walk, and its effective policy."""

import json

import pytest

from kartramail.adapters.resolver import Resolver
from kartramail.domains.dmarc_discovery import DmarcReport, discover_dmarc
from kartramail.rules.dmarc import Policy
from kartramail.rules.dns_records import RecordState
from tests.support.dns_server import DnsServer


@pytest.fixture
def resolver(dns: DnsServer) -> Resolver:
    return Resolver([dns.address], timeout=1)


def publish(dns: DnsServer, domain: str, tags: str) -> None:
    dns.add(f"_dmarc.{domain}", "TXT", f"v=DMARC1; {tags}")


def codes(report: DmarcReport) -> list[str]:
    return [problem.code for problem in report.problems]


def test_it_finds_the_domains_own_record(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, "doeinc.test", "p=reject; aspf=s; rua=mailto:a@doeinc.test")
    report = discover_dmarc(resolver, "DoeInc.test.")
    assert report.state is RecordState.FOUND
    assert report.record == "v=DMARC1; p=reject; aspf=s; rua=mailto:a@doeinc.test"
    assert report.policy is Policy.REJECT
    assert report.found_at == report.organizational_domain == "doeinc.test"
    assert (report.is_dkim_strict, report.is_spf_strict) == (False, True)
    assert report.problems == ()
    assert "is refused" in report.explanation[0]


def test_no_record_by_complete_answers_is_not_found(dns: DnsServer, resolver: Resolver) -> None:
    report = discover_dmarc(resolver, "doeinc.test")
    assert report.state is RecordState.NOT_FOUND
    assert report.policy is Policy.NONE
    assert (report.record, report.found_at, report.organizational_domain) == (None, None, None)
    assert dns.count("_dmarc.doeinc.test", "TXT") == 1
    assert dns.count("_dmarc.test", "TXT") == 1


@pytest.mark.parametrize(
    ("tags", "policy"),
    [
        ("p=reject", Policy.REJECT),
        ("p=reject; sp=none", Policy.NONE),
        ("p=none; sp=quarantine", Policy.QUARANTINE),
        ("p=reject; t=y", Policy.QUARANTINE),
        ("p=none; np=reject", Policy.NONE),
    ],
)
def test_a_name_below_inherits_from_the_organization(
    dns: DnsServer, resolver: Resolver, tags: str, policy: Policy
) -> None:
    publish(dns, "doeinc.test", tags)
    dns.add("shop.doeinc.test", "A", "192.0.2.1")
    report = discover_dmarc(resolver, "shop.doeinc.test")
    assert report.state is RecordState.FOUND
    assert report.policy is policy
    assert report.found_at == report.organizational_domain == "doeinc.test"
    assert "the one of doeinc.test holds" in " ".join(report.explanation)


def test_np_holds_for_a_name_that_does_not_exist(dns: DnsServer, resolver: Resolver) -> None:
    """RFC 9989 §3.2.13: no MX, A or AAAA."""
    publish(dns, "doeinc.test", "p=none; np=reject")
    dns.add("only-text.doeinc.test", "TXT", "x")
    assert discover_dmarc(resolver, "nowhere.doeinc.test").policy is Policy.REJECT
    assert discover_dmarc(resolver, "only-text.doeinc.test").policy is Policy.REJECT
    dns.add("six.doeinc.test", "AAAA", "2001:db8::1")
    assert discover_dmarc(resolver, "six.doeinc.test").policy is Policy.NONE


def test_existence_is_asked_for_only_where_it_matters(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, "doeinc.test", "p=none; sp=reject; np=reject")
    discover_dmarc(resolver, "nowhere.doeinc.test")
    assert dns.count("nowhere.doeinc.test", "MX") == 0


def test_a_record_between_is_passed_over_for_the_organizations(
    dns: DnsServer, resolver: Resolver
) -> None:
    """RFC 9989 §4.10.1: the author's, the organization's or the suffix's, none between."""
    publish(dns, "mail.doeinc.test", "p=reject")
    publish(dns, "doeinc.test", "p=none")
    report = discover_dmarc(resolver, "a.mail.doeinc.test")
    assert (report.found_at, report.policy) == ("doeinc.test", Policy.NONE)


def test_a_record_of_its_own_below_keeps_the_organization(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, "shop.doeinc.test", "p=reject")
    publish(dns, "doeinc.test", "p=none")
    report = discover_dmarc(resolver, "shop.doeinc.test")
    assert report.found_at == "shop.doeinc.test"
    assert report.policy is Policy.REJECT
    assert report.organizational_domain == "doeinc.test"


def test_psd_n_makes_an_organization_and_ends_the_walk(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, "shop.doeinc.test", "p=quarantine; psd=n")
    publish(dns, "doeinc.test", "p=reject")
    report = discover_dmarc(resolver, "shop.doeinc.test")
    assert report.organizational_domain == "shop.doeinc.test"
    assert dns.count("_dmarc.doeinc.test") == 0


def test_the_record_of_a_public_suffix_stands_in(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, "test", "p=none; sp=quarantine; psd=y")
    report = discover_dmarc(resolver, "doeinc.test")
    assert (report.found_at, report.policy) == ("test", Policy.QUARANTINE)
    assert report.organizational_domain == "doeinc.test"


def test_it_asks_at_most_eight_names_for_a_record(dns: DnsServer, resolver: Resolver) -> None:
    discover_dmarc(resolver, "a.b.c.d.e.f.g.h.i.j.doeinc.test")
    assert dns.count(rtype="TXT") == 8 + 1  # one more: a record misplaced at the domain itself


def test_two_records_are_discarded_and_named(dns: DnsServer, resolver: Resolver) -> None:
    """RFC 9989 §4.10: receivers act as if there were none."""
    publish(dns, "doeinc.test", "p=reject")
    publish(dns, "doeinc.test", "p=none")
    report = discover_dmarc(resolver, "doeinc.test")
    assert report.state is RecordState.WRONG
    assert codes(report) == ["several_records"]
    assert report.policy is Policy.NONE
    assert report.found_at is None
    assert report.record is not None
    assert len(report.record.splitlines()) == 2


def test_two_records_do_not_keep_the_organizations_from_holding(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, "shop.doeinc.test", "p=none")
    publish(dns, "shop.doeinc.test", "p=quarantine")
    publish(dns, "doeinc.test", "p=reject")
    report = discover_dmarc(resolver, "shop.doeinc.test")
    assert report.state is RecordState.WRONG
    assert codes(report) == ["several_records"]
    assert (report.found_at, report.policy) == ("doeinc.test", Policy.REJECT)


def test_two_records_above_are_no_concern_of_a_domain_with_its_own(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, "shop.doeinc.test", "p=none")
    publish(dns, "doeinc.test", "p=reject")
    publish(dns, "doeinc.test", "p=none")
    report = discover_dmarc(resolver, "shop.doeinc.test")
    assert (report.state, report.problems) == (RecordState.FOUND, ())


@pytest.mark.parametrize("text", ["v=dmarc1; p=none", '"v=DMARC1; p=none"', "v=DMARC1 p=none"])
def test_a_record_that_receivers_pass_over_is_wrong(
    dns: DnsServer, resolver: Resolver, text: str
) -> None:
    dns.add("_dmarc.doeinc.test", "TXT", text)
    report = discover_dmarc(resolver, "doeinc.test")
    assert report.state is RecordState.WRONG
    assert codes(report) == ["syntax"]
    assert (report.record, report.policy) == (text, Policy.NONE)


def test_other_text_beside_the_record_is_ignored(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, "doeinc.test", "p=none")
    dns.add("_dmarc.doeinc.test", "TXT", "v=spf1 -all")
    assert discover_dmarc(resolver, "doeinc.test").state is RecordState.FOUND
    dns.remove("_dmarc.doeinc.test")
    dns.add("*.doeinc.test", "TXT", "v=spf1 -all")
    assert discover_dmarc(resolver, "doeinc.test").state is RecordState.NOT_FOUND


def test_a_record_at_the_domain_itself_is_misplaced(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("doeinc.test", "TXT", "v=DMARC1; p=reject")
    report = discover_dmarc(resolver, "doeinc.test")
    assert report.state is RecordState.NOT_FOUND
    assert codes(report) == ["misplaced"]
    assert "_dmarc.doeinc.test" in report.problems[0].fix
    assert report.policy is Policy.NONE


def test_a_second_copy_at_the_domain_itself_is_harmless(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("doeinc.test", "TXT", "v=DMARC1; p=reject")
    publish(dns, "doeinc.test", "p=none")
    assert discover_dmarc(resolver, "doeinc.test").problems == ()


@pytest.mark.parametrize("tags", ["rua=mailto:a@doeinc.test", "foo=bar"])
def test_a_record_without_a_policy_is_wrong_and_asks_for_nothing(
    dns: DnsServer, resolver: Resolver, tags: str
) -> None:
    publish(dns, "doeinc.test", tags)
    report = discover_dmarc(resolver, "doeinc.test")
    assert (report.state, report.policy) == (RecordState.WRONG, Policy.NONE)
    assert codes(report) == ["missing_policy"]


def test_a_misspelt_policy_for_names_below_takes_the_record_down(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, "doeinc.test", "p=reject; sp=quarantin; rua=mailto:a@doeinc.test")
    report = discover_dmarc(resolver, "doeinc.test")
    assert (report.state, report.policy) == (RecordState.WRONG, Policy.NONE)


def test_tags_of_former_times_are_no_fault(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, "doeinc.test", "p=quarantine; pct=20; unknown=1")
    report = discover_dmarc(resolver, "doeinc.test")
    assert (report.state, report.policy) == (RecordState.FOUND, Policy.QUARANTINE)
    assert codes(report) == ["gone_tag"]


def test_what_only_a_strict_reader_minds_is_named(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, "doeinc.test", "p=reject; fo=9; rua=mailto:a@elsewhere.test")
    report = discover_dmarc(resolver, "doeinc.test")
    assert (report.state, report.policy) == (RecordState.FOUND, Policy.REJECT)
    assert codes(report) == ["ignored_value"]


def test_a_record_by_an_alias_is_found(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("_dmarc.doeinc.test", "CNAME", "policy.provider.test")
    dns.add("policy.provider.test", "TXT", "v=DMARC1; p=qua", "rantine")
    assert discover_dmarc(resolver, "doeinc.test").policy is Policy.QUARANTINE


FAULTS = ["servfail", "silent", "refuse", "malformed"]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_answer_is_neither_yes_nor_no(dns: DnsServer, resolver: Resolver, fault: str) -> None:
    getattr(dns, fault)("_dmarc.doeinc.test")
    report = discover_dmarc(resolver, "doeinc.test")
    assert report.state is RecordState.UNREACHABLE
    assert report.policy is None
    assert (report.record, report.found_at, report.organizational_domain) == (None, None, None)
    assert codes(report) == ["unreachable"]


@pytest.mark.parametrize("silent", ["_dmarc.shop.doeinc.test", "_dmarc.doeinc.test", "_dmarc.test"])
def test_no_answer_on_the_way_leaves_it_open(
    dns: DnsServer, resolver: Resolver, silent: str
) -> None:
    publish(dns, "doeinc.test", "p=reject")
    dns.servfail(silent)
    report = discover_dmarc(resolver, "shop.doeinc.test")
    assert (report.state, report.policy) == (RecordState.UNREACHABLE, None)


def test_the_domains_own_record_needs_nothing_from_above(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, "shop.doeinc.test", "p=reject")
    dns.servfail("_dmarc.doeinc.test")
    report = discover_dmarc(resolver, "shop.doeinc.test")
    assert (report.state, report.policy) == (RecordState.FOUND, Policy.REJECT)
    assert report.organizational_domain is None


def test_two_records_are_wrong_for_sure_beside_a_silent_server(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, "doeinc.test", "p=reject")
    publish(dns, "doeinc.test", "p=none")
    dns.servfail("_dmarc.test")
    report = discover_dmarc(resolver, "doeinc.test")
    assert (report.state, report.policy) == (RecordState.WRONG, None)


def test_where_existence_is_not_known_the_policy_is_not(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, "doeinc.test", "p=none; np=reject")
    dns.servfail("x.doeinc.test")
    report = discover_dmarc(resolver, "x.doeinc.test")
    assert (report.state, report.policy) == (RecordState.UNREACHABLE, None)
    assert report.found_at == "doeinc.test"


def test_an_unreachable_domain_itself_hides_nothing_else(
    dns: DnsServer, resolver: Resolver
) -> None:
    """The look for a misplaced record is a courtesy."""
    dns.servfail("doeinc.test")
    assert discover_dmarc(resolver, "doeinc.test").state is RecordState.NOT_FOUND


def test_it_asks_dns_anew_each_time(dns: DnsServer, resolver: Resolver) -> None:
    """R-CHECK: checks never answer from our own cache."""
    publish(dns, "doeinc.test", "p=none")
    discover_dmarc(resolver, "doeinc.test")
    discover_dmarc(resolver, "doeinc.test")
    assert dns.count("_dmarc.doeinc.test") == 2
    discover_dmarc(resolver, "doeinc.test", fresh=False)
    assert dns.count("_dmarc.doeinc.test") == 2


def test_the_report_is_plain_json(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, "doeinc.test", "p=reject; pct=1")
    read = json.loads(json.dumps(discover_dmarc(resolver, "doeinc.test").as_json()))
    assert read["state"] == "found"
    assert read["policy"] == "reject"
    assert read["found_at"] == "doeinc.test"
    assert read["problems"][0]["code"] == "gone_tag"
    assert read["explanation"]
    dns.servfail("_dmarc.doeinc.test")
    assert discover_dmarc(resolver, "doeinc.test").as_json()["policy"] is None


def test_hostile_text_is_fit_to_be_shown_and_kept(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("_dmarc.doeinc.test", "TXT", b"v=DMARC1; p=\x00\x1b[2J; rua=" + b"x," * 3000)
    report = discover_dmarc(resolver, "doeinc.test")
    assert report.record is not None
    assert report.record.isprintable()
    assert len(report.record) <= 4096
    assert all(each.message.isprintable() and len(each.message) < 400 for each in report.problems)


def test_it_names_no_more_mistakes_than_anybody_reads(dns: DnsServer, resolver: Resolver) -> None:
    dns.add("_dmarc.doeinc.test", "TXT", "v=DMARC1; p=none; " + "p=none;" * 500)
    assert len(discover_dmarc(resolver, "doeinc.test").problems) <= 20
