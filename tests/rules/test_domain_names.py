"""A domain as somebody types it (R-DOMAIN), judged as an address on it would be (R-BUSINESS)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.addresses import AddressPolicy
from kartramail.rules.domain_names import judge_domain, show_domain

POLICY = AddressPolicy("kartra.com", allow_special_use=True)


@pytest.mark.parametrize(
    "typed",
    [
        "doeinc.com",
        "DoeInc.com.",
        "  www.doeinc.com ",
        "https://www.doeinc.com/contact?from=mail#top",
        "http://doeinc.com:8080/",
        "jane@doeinc.com",
        "mailto:jane@doeinc.com",
    ],
)
def test_what_stands_around_a_domain_is_left_away(typed: str) -> None:
    judged = judge_domain(typed, POLICY)
    assert judged.domain == "doeinc.com"
    assert not judged.verdict.message


def test_a_domain_in_another_script_becomes_a_labels() -> None:
    assert judge_domain("Bücher.de", POLICY).domain == "xn--bcher-kva.de"
    assert show_domain("xn--bcher-kva.de") == "bücher.de"


def test_www_may_be_a_name_of_its_own() -> None:
    assert judge_domain("www.doeinc.com", POLICY).domain == "doeinc.com"
    assert judge_domain("wwwdoeinc.com", POLICY).domain == "wwwdoeinc.com"


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "syntax"),
        ("doe inc.com", "syntax"),
        ("doe\r\ninc.com", "syntax"),
        ("doeinc", "not_a_domain"),
        ("192.0.2.1", "not_a_domain"),
        ("gmail.com", "free_provider"),
        ("mailinator.com", "disposable"),
        ("kartra.com", "platform_domain"),
        ("mail.kartra.com", "platform_domain"),
        ("co.uk", "public_suffix"),
        ("localhost", "not_a_domain"),
        ("printer.local", "special_use"),
    ],
)
def test_it_is_refused_with_the_codes_of_the_addresses(typed: str, code: str) -> None:
    judged = judge_domain(typed, POLICY)
    assert judged.domain is None
    assert judged.verdict.code == code
    assert judged.verdict.message
    assert "hello@" not in judged.verdict.message


def test_a_mistyped_one_gets_a_question_about_the_domain() -> None:
    verdict = judge_domain("gmial.com", POLICY).verdict
    assert (verdict.code, verdict.suggestion) == ("did_you_mean", "gmail.com")


@given(st.text(max_size=300))
def test_it_always_answers(text: str) -> None:
    judged = judge_domain(text, POLICY)
    assert judged.domain is not None or judged.verdict.message
    if judged.domain is not None:
        assert judge_domain(judged.domain, POLICY).domain == judged.domain
