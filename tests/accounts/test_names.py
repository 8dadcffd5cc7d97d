"""What people may type for names and postal addresses."""

import pytest

from kartramail.accounts.linkable import shown_to_stranger
from kartramail.accounts.names import judge_name, judge_postal_address


@pytest.mark.parametrize(
    "name",
    [
        "D",
        "Zoë's Bäckerei",
        "株式会社ドウ",
        "دو للتجارة",
        "Booking.com",
        "Booking.com B.V.",
        "Doe Inc.",
        "S.p.A./Ltd.",
        "24/7 Taxi",
        "AC/DC & Sons",
        "Version 1.2",
        "Rock 'n' Roll: the shop",
        "Doe@Home",
        "👩‍🍳 Doe",
        "x" * 200,
        "नमस्ते",
    ],
)
def test_any_script_of_the_world_is_welcome(name: str) -> None:
    assert not judge_name(name, "your business name").is_error


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_empty"),
        ("...", "name_empty"),
        ("\u200d", "name_empty"),
        ("x" * 201, "name_too_long"),
        *[
            (f"Doe{mark}Inc", "name_control")
            for mark in "\r\n\x00\x0b\x0c\x1c\x1e\x7f\x85\u2028\u2029"
        ],
        *[(f"Doe{mark}Inc", "name_control") for mark in "\u202a\u202e\u2066\u2069\ud800"],
        ("Buy https://x.example", "name_address"),
        ("WWW.x.example", "name_address"),
        ("You won: claim at evil.com/win", "name_address"),
        ("evil.com/", "name_address"),
        ("EVIL.co.uk\\win", "name_address"),
        ("evil.com:8080", "name_address"),
        ("evil.com?win=1", "name_address"),
        ("evil.com./win", "name_address"),
        ("evil.com#win", "name_address"),
        ("192.0.2.1/win", "name_address"),
        ("bücher.example/win", "name_address"),
        ("evil.xn--p1ai/win", "name_address"),
        ("ｅｖｉｌ．ｃｏｍ／ｗｉｎ", "name_address"),
        ("evil。com/win", "name_address"),
        ("evil\u200b.com\u2060/win", "name_address"),
        ("write to win@evil.com", "name_address"),
        ("mailto:win", "name_address"),
        ("Tel:5550100", "name_address"),
    ],
)
def test_what_hides_or_breaks_a_line_is_refused(name: str, code: str) -> None:
    verdict = judge_name(name, "your business name")
    assert verdict.is_error
    assert verdict.code == code


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Doe Inc.", "Doe Inc."),
        ("株式会社ドウ", "株式会社ドウ"),
        ("👩‍🍳 Doe", "👩‍🍳 Doe"),
        ("Booking.com", "Booking. com"),
        ("evil。com", "evil. com"),
        ("Call +1 (555) 010-0199", "a business"),
        ("0800 555 0199 Taxi", "a business"),
        ("Est. 1987, 24/7", "Est. 1987, 24/7"),
        ("evil.com/win", "a business"),
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 39 + "…"),
    ],
)
def test_a_stranger_reads_a_short_name_without_a_link(name: str, shown: str) -> None:
    """Mail programs make a link of a bare domain too, and telephones of a number."""
    assert shown_to_stranger(name, "a business") == shown


def test_a_postal_address_may_have_lines_and_may_be_empty() -> None:
    assert not judge_postal_address("1 Main Street\nDoetown").is_error
    assert not judge_postal_address("").is_error
    assert judge_postal_address("1 Main\rStreet").is_error
    assert judge_postal_address("x" * 501).is_error
