"""R-SPF: reading the terms of a record, and naming what is wrong with one (RFC 7208)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.spf import (
    build_spf_record,
    is_almost_spf_record,
    is_spf_record,
    parse_spf_record,
    repair_spf_record,
)
from kartramail.rules.spf_terms import SpfTerm


def only(text: str) -> SpfTerm:
    (term,) = parse_spf_record(f"v=spf1 {text}")
    return term


@pytest.mark.parametrize("text", ["v=spf1", "v=spf1 -all", "V=SPF1 a", "v=spf1  mx   ~all "])
def test_it_takes_a_record_for_spf_in_any_case(text: str) -> None:
    assert is_spf_record(text)
    assert not is_almost_spf_record(text)


@pytest.mark.parametrize("text", ["", "v=spf10 -all", "spf2.0/pra", "v=DKIM1; p=", "google-site=x"])
def test_it_takes_no_other_record_for_spf(text: str) -> None:
    assert not is_spf_record(text)
    assert not is_almost_spf_record(text)
    assert parse_spf_record(text) == ()


@pytest.mark.parametrize(
    "text", [" v=spf1 mx -all", '"v=spf1 mx -all"', "v=spf1; mx -all", "v = spf1 mx -all"]
)
def test_it_knows_what_was_meant_for_spf_and_mends_it(text: str) -> None:
    assert is_almost_spf_record(text)
    assert not is_spf_record(text)
    assert repair_spf_record(text) == "v=spf1 mx -all"


def test_it_reads_qualifiers_names_values_and_sizes() -> None:
    terms = parse_spf_record(
        "v=spf1 a -mx/24 ?MX:Mail.Test/24//64 ip4:192.0.2.0/24 redirect=a.test"
    )
    assert [(t.qualifier, t.name, t.value, t.prefix) for t in terms] == [
        ("+", "a", "", ""),
        ("-", "mx", "", "/24"),
        ("?", "mx", "Mail.Test", "/24//64"),
        ("+", "ip4", "192.0.2.0/24", ""),
        ("+", "redirect", "a.test", ""),
    ]
    assert [t.is_modifier for t in terms] == [False, False, False, False, True]
    assert not any(t.fault for t in terms)


@pytest.mark.parametrize(
    "text",
    [
        "all", "~all", "include:_spf.example.com", "include:xn--mnchen-3ya.de.", "a:mail.a.test/0",
        "exists:%{i}._spf.%{d2}.a.test", "include:%{ir}.%{v}._spf.a.test", "ip6:2001:db8::/32",
        "ip4:0.0.0.0/0", "ptr", "ptr:a.test", "exp=why.%{d}", "unknown=anything:at/all", "a//64",
        "redirect=_spf.a.test", "a:%{d}/24", "exists:%%.%_.a.test",
    ],
)  # fmt: skip
def test_it_accepts_what_the_standard_allows(text: str) -> None:
    assert only(text).fault == ""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ip4:192.0.2.300", "not an IPv4 address"),
        ("ip4:2001:db8::1", "not an IPv4 address"),
        ("ip6:192.0.2.1", "not an IPv6 address"),
        ("ip4:192.0.2.0/33", "size of a network"),
        ("ip4:192.0.2.0/024", "size of a network"),
        ("ip4:192.0.2.0/", "size of a network"),
        ("a/33", "size of a network"),
        ("mx//129", "size of a network"),
        ("ip4:192.0.2.1~all", "a blank is missing"),
        ("include:_spf.a.test-all", "a blank is missing"),
        ("include:", "is missing"),
        ("include", "is missing"),
        ("exists", "is missing"),
        ("redirect=", "is missing"),
        ("a:", "is missing"),
        ("include:localhost", "not the name of a domain"),
        ("include:a..test", "not the name of a domain"),
        ("include:https://a.test", "not the name of a domain"),
        ("include:a.test,", "not the name of a domain"),
        ("include:user@a.test", "not the name of a domain"),
        ("a:192.0.2.1", "ip4: or ip6:"),
        ("include:192.0.2.1", "ip4: or ip6:"),
        ("mx:2001:db8::1", "ip4: or ip6:"),
        ("ipv4:192.0.2.1", "it is called ip4"),
        ("includes:a.test", "it is called include"),
        ("ip4=192.0.2.1", "colon, not an equals sign"),
        ("include=a.test", "colon, not an equals sign"),
        ("redirect:a.test", "equals sign, not a colon"),
        ("-redirect=a.test", "may not have a -"),
        ("all:a.test", "nothing may follow"),
        ("include:%{x}.a.test", "no macro"),
        ("include:%i.a.test", "no macro"),
        ("!all", "no term of SPF"),
        ("mailserver", "there is no mailserver"),
        ("include:münchen.test", "xn--"),
        ("include:m\ufffdnchen.test", "xn--"),
    ],
)
def test_it_says_what_is_wrong_with_a_term(text: str, why: str) -> None:
    assert why in only(text).fault
    assert not only(text).asks


def test_it_says_where_a_term_stands() -> None:
    record = "v=spf1  mx ip4:1.2.3 -all"
    faulty = next(term for term in parse_spf_record(record) if term.fault)
    assert record[faulty.position :].startswith("ip4:1.2.3 ")


@pytest.mark.parametrize("modifier", ["redirect", "exp"])
def test_a_modifier_that_may_stand_once_is_wrong_the_second_time(modifier: str) -> None:
    first, second = parse_spf_record(f"v=spf1 {modifier}=a.test {modifier}=b.test")
    assert not first.fault
    assert "twice" in second.fault


@pytest.mark.parametrize(
    ("term", "asks"),
    [
        ("include:a.test", True), ("a", True), ("mx", True), ("ptr", True), ("exists:a.test", True),
        ("redirect=a.test", True), ("all", False), ("ip4:192.0.2.1", False), ("exp=a.test", False),
    ],
)  # fmt: skip
def test_it_knows_which_terms_ask_dns(term: str, asks: bool) -> None:
    assert only(term).asks is asks


@given(st.text(max_size=300))
def test_it_reads_anything_without_raising(text: str) -> None:
    for record in (text, f"v=spf1 {text}"):
        for term in parse_spf_record(record):
            assert record[term.position :].startswith(term.text)


def test_it_builds_the_record_of_the_operators_bounce_host() -> None:
    ips = ["192.0.2.1", "2001:db8::25", "198.51.100.0/24", " 192.0.2.1 "]
    assert build_spf_record(ips) == "v=spf1 ip4:192.0.2.1 ip6:2001:db8::25 ip4:198.51.100.0/24 -all"


def test_a_host_that_sends_nothing_allows_nobody() -> None:
    assert build_spf_record([]) == "v=spf1 -all"


def test_it_builds_no_record_of_what_is_no_address() -> None:
    with pytest.raises(ValueError):
        build_spf_record(["mail.doeinc.com"])


@given(st.lists(st.ip_addresses(), max_size=12))
def test_what_it_builds_is_sound(ips: list[object]) -> None:
    terms = parse_spf_record(build_spf_record([str(ip) for ip in ips]))
    assert not any(term.fault for term in terms)
    assert {term.value for term in terms[:-1]} == {str(ip) for ip in ips}
    assert terms[-1].text == "-all"
