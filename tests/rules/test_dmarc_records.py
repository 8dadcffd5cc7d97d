"""R-DMARC: reading a record as receivers read it (RFC 9989 §4.7, §4.8, §4.10.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.dmarc import (
    PROPOSED,
    DmarcRecord,
    Policy,
    is_almost_dmarc_record,
    is_dmarc_record,
    read_dmarc_record,
)


def read(text: str) -> DmarcRecord:
    record = read_dmarc_record(text)
    assert record is not None
    return record


def codes(text: str) -> list[str]:
    return [problem.code for problem in read(text).problems]


def test_it_reads_every_tag() -> None:
    record = read(
        "v=DMARC1; p=reject; sp=quarantine; np=none; t=y; adkim=s; aspf=s; psd=n; fo=1; "
        "rua=mailto:a@doeinc.com, mailto:b@doeinc.com!10m; ruf=mailto:c@doeinc.com"
    )
    assert (record.p, record.sp, record.np) == (Policy.REJECT, Policy.QUARANTINE, Policy.NONE)
    assert record.is_testing
    assert record.is_dkim_strict
    assert record.is_spf_strict
    assert record.psd == "n"
    assert record.rua == ("mailto:a@doeinc.com", "mailto:b@doeinc.com!10m")
    assert record.problems == ()


@pytest.mark.parametrize(
    "text",
    ["v=DMARC1; p=none", "v=DMARC1;p=none;", "V = DMARC1 ; P=None", "v=DMARC1 ; p = none ; "],
)
def test_it_reads_any_spacing_and_case_of_names(text: str) -> None:
    record = read(text)
    assert record.p is Policy.NONE
    assert record.problems == ()
    assert (record.sp, record.np, record.psd, record.rua) == (None, None, "u", ())


@pytest.mark.parametrize(
    "text", ["v=dmarc1; p=none", " v=DMARC1; p=none", '"v=DMARC1; p=none"', "v=DMARC1 p=none"]
)
def test_it_knows_what_was_meant_for_dmarc(text: str) -> None:
    assert not is_dmarc_record(text)
    assert is_almost_dmarc_record(text)
    assert read_dmarc_record(text) is None


@pytest.mark.parametrize("text", ["", "v=spf1 -all", "p=none; v=DMARC1", "v=DMARC2; p=none", "x"])
def test_it_takes_no_other_record_for_dmarc(text: str) -> None:
    assert not is_dmarc_record(text)
    assert not is_almost_dmarc_record(text)
    assert read_dmarc_record(text) is None


def test_unknown_tags_are_ignored() -> None:
    record = read("v=DMARC1; p=reject; foo=bar; xyz=1")
    assert record.p is Policy.REJECT
    assert record.problems == ()


@pytest.mark.parametrize("tag", ["pct=25", "rf=afrf", "ri=86400"])
def test_a_tag_of_former_times_is_ignored_with_a_friendly_word(tag: str) -> None:
    record = read(f"v=DMARC1; p=quarantine; {tag}")
    assert record.p is Policy.QUARANTINE
    (problem,) = record.problems
    assert problem.code == "gone_tag"
    assert "Nothing is broken" in problem.fix


def test_a_record_without_a_policy_asks_for_nothing() -> None:
    record = read("v=DMARC1; rua=mailto:a@doeinc.com")
    assert record.p is Policy.NONE
    assert [problem.code for problem in record.problems] == ["missing_policy"]
    assert codes("v=DMARC1") == ["missing_policy"]


@pytest.mark.parametrize("tags", ["p=rejct", "p=reject; sp=quarantin", "p=reject; np=no"])
def test_a_policy_that_cannot_be_read_takes_the_whole_record_down(tags: str) -> None:
    """RFC 9989 §4.10.1: receivers act as if it said p=none, or not at all."""
    record = read(f"v=DMARC1; {tags}; rua=mailto:a@doeinc.com")
    assert (record.p, record.sp, record.np) == (Policy.NONE, None, None)
    assert [problem.code for problem in record.problems] == ["syntax"]


@pytest.mark.parametrize("tag", ["adkim=x", "aspf=strict", "t=yes", "psd=1"])
def test_a_wrong_value_of_another_tag_means_its_default(tag: str) -> None:
    record = read(f"v=DMARC1; p=reject; {tag}")
    assert record.p is Policy.REJECT
    assert not record.is_testing
    assert not record.is_dkim_strict
    assert not record.is_spf_strict
    assert record.psd == "u"
    assert [problem.code for problem in record.problems] == ["ignored_value"]


def test_a_piece_that_is_no_tag_is_passed_over() -> None:
    assert read("v=DMARC1; p=reject; hello; sp=").p is Policy.REJECT
    assert codes("v=DMARC1; p=reject; hello; sp=") == ["ignored_value", "ignored_value"]


def test_a_tag_that_stands_twice_is_named() -> None:
    assert read("v=DMARC1; p=none; p=reject").p is Policy.NONE
    assert codes("v=DMARC1; p=none; p=reject") == ["syntax"]


@pytest.mark.parametrize(
    "rua", ["reports@doeinc.com", "mailto:", "mailto:a", "mailto:a@doeinc.com b@doeinc.com", ","]
)
def test_an_address_for_reports_without_mailto_is_named(rua: str) -> None:
    record = read(f"v=DMARC1; p=none; rua={rua}")
    assert record.rua == ()
    assert [problem.code for problem in record.problems] == ["bad_report_address"]


def test_the_sound_address_for_reports_stays() -> None:
    assert read("v=DMARC1; p=none; rua=x, mailto:a@b.test").rua == ("mailto:a@b.test",)


N, Q, R = Policy.NONE, Policy.QUARANTINE, Policy.REJECT


@pytest.mark.parametrize(
    ("tags", "own", "below", "invented"),
    [
        ("p=reject", R, R, R),
        ("p=reject; sp=none", R, N, N),
        ("p=none; sp=reject", N, R, R),
        ("p=none; np=reject", N, N, R),
        ("p=reject; sp=quarantine; np=none", R, Q, N),
        ("p=reject; t=y", Q, Q, Q),
        ("p=quarantine; t=y; sp=reject", N, Q, Q),
        ("p=none; t=y; np=quarantine", N, N, N),
        ("p=reject; t=n", R, R, R),
    ],
)
def test_it_works_out_the_policy_for_the_domain_and_below(
    tags: str, own: Policy, below: Policy, invented: Policy
) -> None:
    """RFC 9989 §4.7: sp, np, and one level less in testing mode."""
    record = read(f"v=DMARC1; {tags}")
    assert record.applies_to(is_inherited=False) is own
    assert record.applies_to(is_inherited=True) is below
    assert record.applies_to(is_inherited=True, exists=False) is invented
    assert record.applies_to(is_inherited=False, exists=False) is own


def test_what_we_propose_is_sound() -> None:
    assert read(PROPOSED) == DmarcRecord(PROPOSED, Policy.NONE)
    assert "pct" not in PROPOSED


@given(st.text(max_size=200))
def test_it_reads_anything_without_raising(text: str) -> None:
    read_dmarc_record(text)
    assert read_dmarc_record(f"v=DMARC1; {text}") is not None
