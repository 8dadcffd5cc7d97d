"""R-NAME: what a sender may be called."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kartramail.rules.sender_names import (
    MAX_SENDER_NAME,
    clean_sender_name,
    fit_sender_name,
    judge_sender_name,
)
from kartramail.rules.verdict import OK


@pytest.mark.parametrize(
    "name",
    [
        "Jane Doe",
        "Doe, Jane (Doe Inc.)",
        "Zoë's Bäckerei",
        "株式会社ドウ",
        "مخبز زوي",
        "מאפיית זואי",
        "बेकरी",
        "می‌خواهم",
        "👩‍🍳 Bakery",
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f Ltd",
        "A" * 64,
        'Jane "J" Doe',
        "Café @ Home",
        "50 % & more",
        "O’Neil",
        "doeinc.com",
        "שלום\u200f!",
        "C@fe",
        "The C@fe (Berlin)",
        "M@ke It",
        "R@D",
        "Gre@t Food",
    ],
)
def test_any_script_of_the_world_is_welcome(name: str) -> None:
    assert judge_sender_name(name) == OK


@pytest.mark.parametrize("name", ["", "   ", "\u00a0\u3000", "\u200d", "\u3164", "\u0301"])
def test_it_refuses_a_name_that_shows_nothing(name: str) -> None:
    assert judge_sender_name(name).code == "name_empty"


def test_it_counts_after_composing_and_trimming() -> None:
    assert judge_sender_name("  " + "e\u0301" * 64 + "  ") == OK
    assert judge_sender_name("A" * 65).code == "name_too_long"


@pytest.mark.parametrize(
    "sign",
    list("\x00\t\n\r\x0b\x0c\x1b\x1c\x1d\x1e\x1f\x7f\x85\u2028\u2029")
    + list(
        "\u200b\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff\u2060\u00ad\ud800\ufffe"
    ),
)
@pytest.mark.parametrize("place", ["Jane{}Doe", "{}Jane", "Jane{}"])
def test_it_refuses_control_characters_line_ends_and_overrides(sign: str, place: str) -> None:
    assert judge_sender_name(place.format(sign)).code == "name_control"


def test_flag_letters_without_a_flag_are_invisible_and_refused() -> None:
    assert judge_sender_name("Jane\U000e0067").code == "name_control"


@pytest.mark.parametrize(
    "name",
    [
        "jane@doeinc.com",
        "Jane <jane@doeinc.com>",
        "Jane (jane@doeinc.com)",
        "jane＠doeinc.com",
        "jane﹫doeinc.com",
        "jane @ doeinc.com",
        "jane @ doeinc . com",
        "PayPal service@paypal.com",
        "jane\u200d@doeinc.com",
        "jane@doeinc",
        "support@kartra",
        "it@kartra",
        "a@b.com",
        "x@[192.0.2.1]",
    ],
)
def test_it_refuses_an_address_inside_the_name(name: str) -> None:
    assert judge_sender_name(name).code == "name_address"


def test_cleaning_trims_composes_and_makes_single_spaces() -> None:
    assert clean_sender_name("  Zoe\u0308 \u00a0  Doe ") == "Zoë Doe"


@pytest.mark.parametrize(
    ("business", "name"),
    [
        ("Doe Inc", "Doe Inc"),
        ("  Doe   Inc ", "Doe Inc"),
        ("Doe\nInc", "Doe Inc"),
        ("jane@doeinc.com", "jane at doeinc.com"),
        ("A" * 100, "A" * 64),
        ("\u202eDoe", "Doe"),
        ("", "Our business"),
    ],
)
def test_a_business_name_is_fitted_into_a_sender_name(business: str, name: str) -> None:
    """R-PREFILL."""
    assert fit_sender_name(business) == name


@given(st.text() | st.text(alphabet="ab @＠.\u200d\u202e\n\ue000", max_size=90))
def test_any_business_name_gives_a_legal_sender_name(business: str) -> None:
    name = fit_sender_name(business)
    assert judge_sender_name(name) == OK
    assert clean_sender_name(name) == name
    assert len(name) <= MAX_SENDER_NAME
