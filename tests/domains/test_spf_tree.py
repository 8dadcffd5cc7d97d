"""R-SPF: the faults of a domain's own SPF record, by name, counted over the whole tree."""

import json

import pytest

from kartramail.adapters.resolver import Resolver
from kartramail.domains.spf_tree import SpfReport, read_spf
from kartramail.rules.dns_records import Problem, RecordState
from tests.support.dns_server import DnsServer

OURS = "bounces.kartra.test"


@pytest.fixture
def resolver(dns: DnsServer) -> Resolver:
    return Resolver([dns.address], timeout=1)


def publish(dns: DnsServer, **records: str) -> None:
    """`a_doeinc="mx -all"` is the SPF record of a.doeinc.test."""
    for name, terms in records.items():
        dns.add(f"{name.replace('_', '.')}.test", "TXT", f"v=spf1 {terms}")


def codes(report: SpfReport) -> list[str]:
    return [problem.code for problem in report.problems]


def problem(report: SpfReport, code: str) -> Problem:
    return next(each for each in report.problems if each.code == code)


def test_a_sound_record_has_no_problem(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="mx a:mail.doeinc.test ip4:192.0.2.0/24 include:g.test ~all")
    publish(dns, g="ip4:198.51.100.1 -all", bounces_kartra="-all")
    dns.add("doeinc.test", "TXT", "some-verification=1")
    report = read_spf(resolver, "DoeInc.test.", OURS)
    assert report.state is RecordState.FOUND
    assert report.problems == ()
    assert (report.lookups, report.void_lookups) == (3, 0)
    assert report.record == "v=spf1 mx a:mail.doeinc.test ip4:192.0.2.0/24 include:g.test ~all"
    assert report.merged is not None
    assert report.merged.endswith(f"include:g.test include:{OURS} ~all")
    assert report.tree is not None
    assert [child.domain for child in report.tree.children] == ["g.test"]
    assert report.tree.children[0].term == "include:g.test"


def test_no_record_is_not_found_for_sure(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, bounces_kartra="-all")
    dns.add("doeinc.test", "TXT", "some-verification=1")
    for domain in ("doeinc.test", "nobody.test"):
        report = read_spf(resolver, domain, OURS)
        assert report == SpfReport(RecordState.NOT_FOUND, merged=f"v=spf1 include:{OURS} ~all")


@pytest.mark.parametrize("fault", ["servfail", "silent", "refuse", "malformed"])
def test_no_answer_is_neither_found_nor_absent(
    dns: DnsServer, resolver: Resolver, fault: str
) -> None:
    publish(dns, doeinc="-all")
    getattr(dns, fault)("doeinc.test")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report == SpfReport(RecordState.UNREACHABLE)


def test_it_names_several_records_and_merges_them(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="mx -all")
    publish(dns, doeinc="include:g.test ~all", g="-all", bounces_kartra="-all")
    dns.add("doeinc.test", "TXT", "v=spf1 include:g.test ~all")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.state is RecordState.WRONG
    assert "2 SPF records" in problem(report, "several_records").message
    assert report.record is not None
    assert len(report.record.splitlines()) == 2
    assert report.lookups == 2
    assert report.merged is not None
    assert set(report.merged.split()) == {
        "v=spf1", "mx", "include:g.test", f"include:{OURS}", "~all",
    }  # fmt: skip


def test_several_records_merge_also_where_the_include_is_there(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, doeinc=f"include:{OURS} -all", bounces_kartra="-all")
    dns.add("doeinc.test", "TXT", "v=spf1 mx -all")
    merged = read_spf(resolver, "doeinc.test", OURS).merged
    assert merged is not None
    assert merged.count(OURS) == 1


@pytest.mark.parametrize(
    ("terms", "code", "state"),
    [
        ("mx +all", "plus_all", RecordState.WRONG),
        ("mx all", "plus_all", RecordState.WRONG),
        ("mx ?all", "neutral_all", RecordState.FOUND),
        ("mx", "no_all", RecordState.FOUND),
        ("ptr -all", "ptr", RecordState.FOUND),
        ("exists:%{i}.x.test -all", "exists", RecordState.FOUND),
        ("ip4:1.2.3 -all", "syntax", RecordState.WRONG),
        ("mx -all ip4:192.0.2.1", "after_all", RecordState.FOUND),
        ("include:gone.test -all", "missing_include", RecordState.WRONG),
        ("redirect=gone.test", "missing_include", RecordState.WRONG),
        ("include:doeinc.test -all", "loop", RecordState.WRONG),
        ("redirect=doeinc.test", "loop", RecordState.WRONG),
        (" ".join(["ip4:192.0.2.1"] * 40) + " -all", "too_long", RecordState.FOUND),
    ],
)
def test_it_names_the_fault(
    dns: DnsServer, resolver: Resolver, terms: str, code: str, state: RecordState
) -> None:
    publish(dns, doeinc=terms)
    report = read_spf(resolver, "doeinc.test", OURS)
    assert codes(report) == [code]
    assert report.state is state
    assert "doeinc.test" in problem(report, code).message
    assert problem(report, code).fix.endswith(".")


def test_a_redirect_decides_what_happens_at_the_end(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="redirect=next.test", next="redirect=last.test", last="mx:doeinc.test")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert codes(report) == ["no_all"]
    assert "last.test" in problem(report, "no_all").message
    assert report.lookups == 3


def test_a_redirect_beside_all_is_not_followed(dns: DnsServer, resolver: Resolver) -> None:
    """RFC 7208 §6.1."""
    publish(dns, doeinc="redirect=gone.test -all")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.state is RecordState.FOUND
    assert report.lookups == 0


def test_an_include_needs_no_all_of_its_own(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="include:g.test -all", g="ip4:192.0.2.1")
    assert read_spf(resolver, "doeinc.test", OURS).problems == ()


def test_nor_does_a_record_that_an_include_redirects_to(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="include:g.test -all", g="redirect=h.test", h="ip4:192.0.2.1")
    assert read_spf(resolver, "doeinc.test", OURS).problems == ()


def test_an_include_that_lets_everybody_through_is_named(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, doeinc="include:g.test -all", g="+all")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert codes(report) == ["plus_all"]
    assert "Take g.test out" in problem(report, "plus_all").fix


def test_it_counts_look_ups_over_the_whole_tree(dns: DnsServer, resolver: Resolver) -> None:
    for number in range(4):
        publish(dns, **{f"g{number}": "include:h1.test include:h2.test -all"})
    publish(dns, doeinc=" ".join(f"include:g{n}.test" for n in range(4)) + " -all")
    publish(dns, h1="ip4:192.0.2.1 -all", h2="ip4:192.0.2.2 -all")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert codes(report) == ["too_many_lookups"]
    assert report.lookups == 12
    assert "takes 12 DNS look-ups" in problem(report, "too_many_lookups").message
    assert report.merged is None


def test_ten_look_ups_are_allowed_but_leave_no_room(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc=" ".join(f"include:g{n}.test" for n in range(10)) + " -all")
    for number in range(10):
        publish(dns, **{f"g{number}": "-all"})
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.state is RecordState.FOUND
    assert report.lookups == 10
    assert report.merged is None


def test_it_counts_names_that_do_not_exist(dns: DnsServer, resolver: Resolver) -> None:
    """RFC 7208 §4.6.4: two void look-ups are accepted."""
    publish(dns, doeinc="a:x.test mx:y.test -all")
    dns.add("only6.test", "AAAA", "2001:db8::1")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.state is RecordState.FOUND
    assert report.void_lookups == 2
    dns.remove("doeinc.test")
    publish(dns, doeinc="a:x.test mx:y.test exists:z.test a:only6.test -all")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.state is RecordState.WRONG
    assert report.void_lookups == 3
    message = problem(report, "too_many_void_lookups").message
    assert "3 of the names" in message
    assert "do not exist: x.test, y.test, z.test." in message


def test_includes_that_do_not_exist_count_among_them(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="include:x.test include:y.test include:z.test include:w.test -all")
    dns.add("w.test", "TXT", "no SPF, but something")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert (report.lookups, report.void_lookups) == (4, 3)
    assert codes(report)[0] == "too_many_void_lookups"


def test_it_names_an_mx_with_too_many_hosts(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="mx:big.test -all")
    for number in range(11):
        dns.add("big.test", "MX", f"10 m{number}.big.test")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert codes(report) == ["too_many_mail_hosts"]


def test_a_loop_over_several_records_is_named_where_it_closes(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, doeinc="include:a.test -all", a="include:B.test. -all", b="include:A.test -all")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert codes(report) == ["loop"]
    assert "record of b.test" in problem(report, "loop").message


@pytest.mark.parametrize("fault", ["servfail", "silent"])
def test_an_include_without_an_answer_is_not_called_missing(
    dns: DnsServer, resolver: Resolver, fault: str
) -> None:
    publish(dns, doeinc="include:g.test include:h.test -all", h="-all")
    getattr(dns, fault)("g.test")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.state is RecordState.UNREACHABLE
    assert codes(report) == ["unreachable_include"]
    assert report.record is not None
    assert report.tree is not None
    states = [child.state for child in report.tree.children]
    assert states == [RecordState.UNREACHABLE, RecordState.FOUND]


def test_what_is_wrong_for_sure_stays_wrong_beside_a_silent_server(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, doeinc="include:g.test include:gone.test -all")
    dns.servfail("g.test")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.state is RecordState.WRONG
    assert codes(report) == ["missing_include", "unreachable_include"]


def test_faults_of_an_include_are_named_with_its_domain(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="include:a.test include:b.test -all", a="ip4:1.2 -all", b="-all")
    dns.add("b.test", "TXT", "v=spf1 ~all")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert codes(report) == ["syntax", "several_records"]
    assert "record of a.test" in problem(report, "syntax").message
    assert "b.test has 2" in problem(report, "several_records").message
    fix = problem(report, "several_records").fix
    assert "b.test is not your domain: ask the service" in fix
    assert "take include:b.test out of the record of doeinc.test" in fix


def test_macros_count_but_are_not_looked_up(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="include:%{d}._spf.a.test exists:%{i}.x.test a:%{h} -all")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.lookups == 3
    assert report.void_lookups == 0
    assert dns.count() == 2  # its own record, and the one of what may be added to it


def test_pieces_are_joined_without_a_blank(dns: DnsServer, resolver: Resolver) -> None:
    """RFC 7208 §3.3."""
    dns.add("doeinc.test", "TXT", "v=spf1 ip4:192.0.2.1 in", "clude:g.test -all")
    publish(dns, g="-all")
    assert read_spf(resolver, "doeinc.test", OURS).state is RecordState.FOUND
    dns.add("glued.test", "TXT", "v=spf1 ip4:192.0.2.1", "include:g.test -all")
    report = read_spf(resolver, "glued.test", OURS)
    assert codes(report) == ["syntax"]
    assert "at character 8" in problem(report, "syntax").message


@pytest.mark.parametrize("text", ['"v=spf1 mx -all"', " v=spf1 mx -all", "v=spf1; mx -all"])
def test_it_names_a_record_that_receivers_pass_over(
    dns: DnsServer, resolver: Resolver, text: str
) -> None:
    dns.add("doeinc.test", "TXT", text)
    report = read_spf(resolver, "doeinc.test", OURS)
    assert report.state is RecordState.WRONG
    assert codes(report) == ["syntax"]
    assert report.record == text
    assert report.merged is None
    publish(dns, bounces_kartra="-all")
    assert read_spf(resolver, "doeinc.test", OURS).merged == f"v=spf1 mx include:{OURS} -all"


@pytest.mark.parametrize(
    "there", [f"include:{OURS}", "include:Bounces.Kartra.Test.", "include:g.test"]
)
def test_the_include_is_not_added_where_the_tree_has_it(
    dns: DnsServer, resolver: Resolver, there: str
) -> None:
    publish(dns, doeinc=f"{there} -all", g=f"include:{OURS} -all", bounces_kartra="-all")
    assert read_spf(resolver, "doeinc.test", OURS).merged is None


def test_an_include_without_a_record_of_its_own_is_never_offered(
    dns: DnsServer, resolver: Resolver
) -> None:
    """RFC 7208 §5.2: it would be a permanent error, and break the SPF that works now."""
    publish(dns, doeinc="mx -all")
    dns.add("doeinc.test", "MX", "10 mail.doeinc.test")
    for text in ("no SPF", "v=spf1 mx:gone.test include:gone.test -all"):
        dns.add(OURS, "TXT", text)
        for domain in ("doeinc.test", "nobody.test"):
            assert read_spf(resolver, domain, OURS).merged is None
        dns.remove(OURS)
    dns.servfail(OURS)
    assert read_spf(resolver, "doeinc.test", OURS).merged is None


def test_nothing_is_offered_while_a_part_of_the_tree_is_not_known(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(dns, doeinc="include:g.test -all", bounces_kartra="-all")
    dns.servfail("g.test")
    assert read_spf(resolver, "doeinc.test", OURS).merged is None


def test_nothing_is_offered_that_is_too_long_or_asks_too_often(
    dns: DnsServer, resolver: Resolver
) -> None:
    addresses = " ".join(f"ip4:192.0.2.{number}" for number in range(100, 126))
    publish(dns, doeinc=f"{addresses} -all", bounces_kartra="-all")
    assert read_spf(resolver, "doeinc.test", OURS).problems == ()
    assert read_spf(resolver, "doeinc.test", OURS).merged is None
    publish(dns, many=" ".join(f"include:g{n}.test" for n in range(9)) + " -all")
    for number in range(9):
        publish(dns, **{f"g{number}": "-all"})
    assert read_spf(resolver, "many.test", OURS).merged is not None
    dns.remove(OURS)
    publish(dns, bounces_kartra="include:g1.test -all")
    assert read_spf(resolver, "many.test", OURS).merged is None


def test_what_has_no_effect_does_not_come_alive_by_merging(
    dns: DnsServer, resolver: Resolver
) -> None:
    publish(
        dns, doeinc="ip4:192.0.2.1 -all ip4:192.0.2.2 redirect=evil.test", bounces_kartra="-all"
    )
    merged = read_spf(resolver, "doeinc.test", OURS).merged
    assert merged == f"v=spf1 ip4:192.0.2.1 include:{OURS} -all"


def test_an_unknown_modifier_is_no_fault(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="mx ra=postmaster exp=why.%{d} -all")
    report = read_spf(resolver, "doeinc.test", OURS)
    assert (report.state, report.problems) == (RecordState.FOUND, ())


def test_the_report_is_plain_json(dns: DnsServer, resolver: Resolver) -> None:
    publish(dns, doeinc="include:gone.test +all")
    read = json.loads(json.dumps(read_spf(resolver, "doeinc.test", OURS).as_json()))
    assert set(read) == {
        "state", "record", "lookups", "void_lookups", "problems", "merged", "tree",
    }  # fmt: skip
    assert read["state"] == "wrong"
    assert {each["code"] for each in read["problems"]} == {"plus_all", "missing_include"}
    assert read["tree"]["children"][0]["state"] == "not_found"
    assert SpfReport(RecordState.NOT_FOUND).as_json()["tree"] is None


def test_it_asks_dns_anew_each_time(dns: DnsServer, resolver: Resolver) -> None:
    """R-CHECK: checks never answer from our own cache."""
    publish(dns, doeinc="-all")
    read_spf(resolver, "doeinc.test", OURS)
    read_spf(resolver, "doeinc.test", OURS)
    assert dns.count("doeinc.test", "TXT") == 2
    read_spf(resolver, "doeinc.test", OURS, fresh=False)
    assert dns.count("doeinc.test", "TXT") == 2
