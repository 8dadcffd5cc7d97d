"""What people may type for names and postal addresses."""

import pytest

from kartramail.accounts.names import judge_name, judge_postal_address


@pytest.mark.parametrize(
    "name",
    [
        "D",
        "Zoë's Bäckerei",
        "株式会社ドウ",
        "دو للتجارة",
        "Booking.com",
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
    ],
)
def test_what_hides_or_breaks_a_line_is_refused(name: str, code: str) -> None:
    verdict = judge_name(name, "your business name")
    assert verdict.is_error
    assert verdict.code == code


def test_a_postal_address_may_have_lines_and_may_be_empty() -> None:
    assert not judge_postal_address("1 Main Street\nDoetown").is_error
    assert not judge_postal_address("").is_error
    assert judge_postal_address("1 Main\rStreet").is_error
    assert judge_postal_address("x" * 501).is_error
