"""Quoted bodies with gaps read as if their whole text had been quoted, in lines that are short."""

from email import message_from_bytes

import pytest
from hypothesis import given, settings

from kartramail.rules.mime_bodies import encode_part, is_plain
from kartramail.rules.mime_gap_plans import GapPlan
from kartramail.rules.mime_gaps import plan_gaps
from tests.rules.fillings import Parts, fillings


def plan_quoted(subtype: str, parts: Parts) -> GapPlan | None:
    plans = plan_gaps(subtype, parts)
    return next((plan for plan in plans if b"quoted-printable" in plan.ready[0]), None)


def read(entity: bytes) -> bytes:
    """The text that a reader gets."""
    return bytes(message_from_bytes(entity).get_payload(decode=True))  # type: ignore[arg-type]


@settings(max_examples=500, deadline=None)
@given(filling=fillings())
def test_what_is_quoted_reads_as_the_whole_text(filling: tuple[Parts, list[str]]) -> None:
    parts, given_values = filling
    plan = plan_quoted("html", parts)
    filled = plan.fill({"values": given_values}) if plan else None
    if filled is None:
        return
    assert plan is not None
    assert read(filled) == read(encode_part("html", parts.text(given_values)))
    content = filled.partition(b"\r\n\r\n")[2]
    lines = content.split(b"\r\n")
    assert max(map(len, lines)) <= 76
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert not any(line.startswith((b"From ", b".", b"--=_")) for line in lines)
    assert is_plain(content) or plan.plain_from is None


@pytest.mark.parametrize(
    ("literals", "value"),
    [
        (("Viele Wünsche und die besten Grüße aus Bonn, ", ",\n"), "Ann"),
        (("Viele Wünsche und die besten Grüße aus Bonn, ", ",\n"), "Zoë"),
        (("Viele Wünsche und die besten Grüße aus Bonn, ", "."), ""),
        (("Viele Wünsche und die besten Grüße aus Bonn, ", ",\n"), "https://x.com/?a=b&c=d_e"),
        (("Viele Wünsche und die besten Grüße aus Bonn, ", ",\n"), "From a\nb "),
        (("Viele Wünsche und die besten Grüße aus Bonn, ", ",\n"), "...\n.."),
        (("Noch einmal viele Grüße an", "", "\n"), "x" * 2_000),
        (("Grüße" + "x" * 69, "x" * 76 + " ", "x" * 75), "é" * 30),
        (("Viele Wünsche und die besten Grüße aus Bonn, ", "\n"), "Ann"),
        (("Hello ", ",\n"), ""),
        (("Hello ", ",\n"), "Zoë"),
        (("", ""), "Zoë"),
        (("", "", ""), "Zoë"),
    ],
)
def test_other_values_and_words_are_quoted_the_quick_way(
    literals: tuple[str, ...], value: str
) -> None:
    parts = Parts(literals, (0,) * (len(literals) - 1))
    plan = plan_quoted("plain", parts)
    filled = plan.fill({"values": [value]}) if plan else None
    assert plan is not None
    assert filled is not None
    assert read(filled) == read(encode_part("plain", parts.text([value])))
    content = filled.partition(b"\r\n\r\n")[2]
    assert max(map(len, content.split(b"\r\n"))) <= 76
    assert is_plain(content)
    assert plan.plain_from == 0


@pytest.mark.parametrize("value", ["", "Ann\n"])
def test_no_value_ends_a_quoted_body_with_an_empty_line(value: str) -> None:
    parts = Parts(("Hello ", ""), (0,))
    plan = plan_quoted("plain", parts)
    assert plan is not None
    assert plan.fill({"values": [value]}) is None


@pytest.mark.parametrize("value", ["two  blanks", "a\tb", "a\rb", "\0", "\ud800"])
def test_a_value_that_is_not_read_by_itself_is_not_quoted_the_quick_way(value: str) -> None:
    plan = plan_quoted("plain", Parts(("Noch einmal viele Grüße ", ",\n"), (0,)))
    assert plan is not None
    assert plan.fill({"values": [value]}) is None


@pytest.mark.parametrize(
    "literals",
    [
        ("Noch  einmal viele Grüße ", ",\n"),
        ("Noch\teinmal viele Grüße ", ",\n"),
        ("Noch einmal viele Grüße ", "\n\n"),
    ],
)
def test_it_is_known_whether_what_is_quoted_is_plain(literals: tuple[str, ...]) -> None:
    plan = plan_quoted("plain", Parts(literals, (0,)))
    assert plan is not None
    assert plan.plain_from is None
