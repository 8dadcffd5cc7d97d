"""R-SPF: who wants our include gets one merged record, never a second one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.spf import is_spf_record, merge_include, parse_spf_record

OURS = "bounces.kartra.com"


@pytest.mark.parametrize(
    ("record", "merged"),
    [
        ("v=spf1 mx -all", "v=spf1 mx include:bounces.kartra.com -all"),
        ("V=SPF1  a   ~all", "v=spf1 a include:bounces.kartra.com ~all"),
        ("v=spf1 redirect=_spf.a.test", "v=spf1 include:bounces.kartra.com redirect=_spf.a.test"),
        ("v=spf1 mx", "v=spf1 mx include:bounces.kartra.com ~all"),
        ("v=spf1", "v=spf1 include:bounces.kartra.com ~all"),
        ("v=spf1 mx ?all exp=e.test", "v=spf1 mx include:bounces.kartra.com ?all exp=e.test"),
        ("v=spf1 mx +all", "v=spf1 mx include:bounces.kartra.com ~all"),
        ("v=spf1 mx all", "v=spf1 mx include:bounces.kartra.com ~all"),
        ("v=spf1 mx -all a", "v=spf1 mx include:bounces.kartra.com -all"),
        ("v=spf1 -all ip4:192.0.2.1", "v=spf1 include:bounces.kartra.com -all"),
        ("v=spf1 mx -all redirect=evil.test", "v=spf1 mx include:bounces.kartra.com -all"),
        ("v=spf1 redirect=evil.test mx -all", "v=spf1 mx include:bounces.kartra.com -all"),
        ("v=spf1 -all include:bounces.kartra.com", "v=spf1 include:bounces.kartra.com -all"),
    ],
)
def test_it_puts_the_include_where_receivers_come_to_it(record: str, merged: str) -> None:
    assert merge_include([record], OURS) == merged


def test_it_starts_a_record_where_there_is_none() -> None:
    assert merge_include([], OURS) == "v=spf1 include:bounces.kartra.com ~all"


@pytest.mark.parametrize("there", ["include:bounces.kartra.com", "include:Bounces.Kartra.com."])
def test_it_changes_nothing_where_the_include_is_there(there: str) -> None:
    assert merge_include([f"v=spf1 {there} -all"], OURS) is None


@pytest.mark.parametrize("faulty", ["ip4:1.2.3", "include:", "mailserver"])
def test_it_builds_on_no_record_that_it_does_not_understand(faulty: str) -> None:
    assert merge_include([f"v=spf1 {faulty} -all"], OURS) is None
    assert merge_include(["v=spf1 mx -all", f"v=spf1 {faulty} -all"], OURS) is None


@pytest.mark.parametrize(
    ("records", "merged"),
    [
        (["v=spf1 mx -all", "v=spf1 a ~all"], "v=spf1 mx a include:bounces.kartra.com ~all"),
        (["v=spf1 mx -all", "v=spf1 mx -all"], "v=spf1 mx include:bounces.kartra.com -all"),
        (["v=spf1 mx -all", "v=spf1 +MX ?all"], "v=spf1 mx include:bounces.kartra.com ?all"),
        (
            ["v=spf1 include:bounces.kartra.com -all", "v=spf1 a -all"],
            "v=spf1 include:bounces.kartra.com a -all",
        ),
        (
            ["v=spf1 redirect=_spf.a.test", "v=spf1 a -all"],
            "v=spf1 include:_spf.a.test a include:bounces.kartra.com ~all",
        ),
        (
            ["v=spf1 mx -all redirect=evil.test ip4:192.0.2.1", "v=spf1 a -all"],
            "v=spf1 mx a include:bounces.kartra.com -all",
        ),
    ],
)
def test_several_records_become_one(records: list[str], merged: str) -> None:
    assert merge_include(records, OURS) == merged


def test_several_records_can_be_merged_without_an_include() -> None:
    assert merge_include(["v=spf1 mx -all", "v=spf1 a -all"], "") == "v=spf1 mx a -all"


TERMS = st.sampled_from(
    [
        "a", "mx", "ptr", "-ip4:192.0.2.9", "ip4:192.0.2.0/24", "ip6:2001:db8::1", "?a:x.test/24",
        "include:_spf.google.com", "include:spf.protection.outlook.com", "exists:%{i}.x.test",
        "redirect=_spf.a.test", "exp=e.test", "foo=bar", "-all", "~all", "?all", "+all",
    ]
)  # fmt: skip
RECORDS = st.lists(
    st.lists(TERMS, max_size=8, unique=True).map(lambda terms: " ".join(["v=spf1", *terms])),
    max_size=3,
)


@given(RECORDS)
def test_a_merged_record_is_one_and_lacks_nothing(records: list[str]) -> None:
    """R-SPF: all that had an effect is in it, once; a redirect may be an include by now."""
    merged = merge_include(records, OURS)
    assert merged is not None
    assert is_spf_record(merged)
    terms = parse_spf_record(merged)
    assert not any(term.fault for term in terms)
    there = {term.text for term in terms}
    assert f"include:{OURS}" in there
    for record in records:
        written = parse_spf_record(record)
        end = next((place for place, each in enumerate(written) if each.name == "all"), None)
        for place, term in enumerate(written):
            if end is not None and (term.name == "redirect" or place > end):
                continue
            as_include = term.text.replace("redirect=", "include:")
            assert term.name == "all" or {term.text, as_include} & there
    assert sum(term.name == "all" for term in terms) + ("redirect" in merged) >= 1
    assert sum(term.name == "all" for term in terms) <= 1
    assert "+all" not in there
    after_all = merged.partition("all")[2].split() if "all" in there else []
    assert all("=" in term for term in after_all)


@given(RECORDS.filter(bool))
def test_merging_again_changes_nothing(records: list[str]) -> None:
    merged = merge_include(records, OURS)
    assert merged is not None
    assert merge_include([merged], OURS) is None
