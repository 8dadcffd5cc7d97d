"""Bodies with gaps come out as if their whole text had been read, for every value.

As it is: octet by octet. In quoted-printable: as the reader gets it, in lines that are short.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email import message_from_bytes
from itertools import combinations_with_replacement, pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kartramail.rules.mime_bodies import encode_part, is_plain
from kartramail.rules.mime_gaps import GapPlan, plan_gaps


@dataclass(frozen=True)
class Parts:
    """A text of literals and gaps; its variables are the values, under "values"."""

    literals: tuple[str, ...]
    gaps: tuple[int, ...]

    def values(self, variables: Mapping[str, Any], /) -> Sequence[str] | None:
        values: list[str] | None = variables["values"]
        return values

    def text(self, values: Sequence[str]) -> str:
        filled = [values[gap] for gap in self.gaps]
        return self.literals[0] + "".join(
            value + literal for value, literal in zip(filled, self.literals[1:], strict=True)
        )


def plan_as_it_is(subtype: str, parts: Parts) -> GapPlan | None:
    return next((plan for plan in plan_gaps(subtype, parts) if b"7bit" in plan.ready[0]), None)


def plan_quoted(subtype: str, parts: Parts) -> GapPlan | None:
    plans = plan_gaps(subtype, parts)
    return next((plan for plan in plans if b"quoted-printable" in plan.ready[0]), None)


TRAPS = ["\r", "\n", "\r\n", " ", "  ", "\t", "\0", "\x0c", "\x7f", "é", "\ud800", ".", "x"]
TRAPS += ["F", "Fr", "Fro", "From", "From ", "rom ", "om ", "m ", " here"]
TRAPS += ["-", "--", "--=", "--=_", "=", "=_", "_", "-=_", "&#39;"]
LONG = ["x" * 300, "y" * 499, "z" * 997, "z" * 998, "z" * 999]

traps = st.lists(st.sampled_from(TRAPS), max_size=3).map("".join)
safe = st.sampled_from(["", "", "a", "Hello ", ",\n", "\n", "<b>", " b", "x  y", "a\r\n"])
names = st.sampled_from(["Ann", "Frank", "x", "https://x.com/?a=b&c=d_e", "a@b.c", "z" * 300])
near = st.sampled_from(["F", "Fro", "rom ", "om", "-", "--", "=", "_", "=_", "--=", " ", "", "\n"])
hostile = st.one_of(traps, st.text(max_size=6), st.sampled_from(LONG))


@st.composite
def fillings(draw: st.DrawFn) -> tuple[Parts, list[str]]:
    pieces = draw(st.sampled_from([safe | near, safe | near, safe | hostile]))
    values = draw(st.sampled_from([names, names | near, names | near, names | hostile]))
    given_values = draw(st.lists(values, min_size=1, max_size=3))
    gaps = draw(st.lists(st.integers(0, len(given_values) - 1), min_size=1, max_size=4))
    literals = [draw(pieces) for _ in range(len(gaps) + 1)]
    return Parts(tuple(literals), tuple(gaps)), given_values


@settings(max_examples=500, deadline=None)
@given(filling=fillings())
def test_what_is_filled_in_is_what_the_whole_text_would_be(
    filling: tuple[Parts, list[str]],
) -> None:
    parts, given_values = filling
    plan = plan_as_it_is("html", parts)
    filled = plan.fill({"values": given_values}) if plan else None
    if filled is None:
        return
    assert filled == encode_part("html", parts.text(given_values))
    content = filled.partition(b"\r\n\r\n")[2]
    assert plan is not None
    assert is_plain(content) or plan.plain_from is None


def splits(text: str, count: int) -> Iterator[tuple[str, ...]]:
    """All ways to cut `text` in `count` pieces, empty ones among them."""
    for cuts in combinations_with_replacement(range(len(text) + 1), count - 1):
        edges = [0, *cuts, len(text)]
        yield tuple(text[start:end] for start, end in pairwise(edges))


@pytest.mark.parametrize("before", ["", "a\n", "a"])
@pytest.mark.parametrize(
    "trap", ["--=_", "From ", "  ", " \n", "\t\n", "\nFrom ", "a--=_--", "\n."]
)
def test_no_trap_closes_across_literals_and_values(trap: str, before: str) -> None:
    filled_in = 0
    for first, one, between, two, last in splits(trap, 5):
        for left, right in product(["", "v"], repeat=2):
            parts = Parts((before + first, between, last + "here\n"), (0, 1))
            given_values = [left + one, two + right]
            plan = plan_as_it_is("html", parts)
            filled = plan.fill({"values": given_values}) if plan else None
            if plan is None or filled is None:
                continue
            filled_in += 1
            assert filled == encode_part("html", parts.text(given_values))
            content = filled.partition(b"\r\n\r\n")[2]
            assert is_plain(content) or plan.plain_from is None
    assert filled_in > 0


def planned(literals: tuple[str, ...], value: str) -> bytes | None:
    parts = Parts(literals, (0,) * (len(literals) - 1))
    plan = plan_as_it_is("plain", parts)
    filled = plan.fill({"values": [value]}) if plan else None
    assert filled in (None, encode_part("plain", parts.text([value])))
    return filled


@pytest.mark.parametrize(
    "value",
    ["Ann", "Frank O'Neil", "12.50", "ann_b@x.com", "https://x.com/?a=b&c=d_e", "x" * 986],
)
@pytest.mark.parametrize(
    "literals", [("Hello ", ",\n"), ("", ""), ("a\r\n", ",\r\nb  c"), ("<b>", "</b>\n\n")]
)
def test_ordinary_values_go_the_quick_way(value: str, literals: tuple[str, ...]) -> None:
    assert planned(literals, value) is not None


@pytest.mark.parametrize(
    ("literals", "value"),
    [
        (("Hello ", ",\n"), ""),
        (("Hello ", ",\n"), "Zoë"),
        (("Hello ", ",\n"), "a\nb"),
        (("Hello ", "\n"), "Ann "),
        (("", " here\n"), "From"),
        (("a\n", "om me\n"), "Fr"),
        (("", "\n"), "From here"),
        (("--", "\n"), "=_kartramail"),
        (("a", "=_\n"), "--"),
        (("a", "\n"), "--=_kartramail"),
        (("a", "\n"), "x" * 998),
        (("a", "b", "\n"), "x" * 499),
        (("F", "\n"), "rom here"),
        (("é", "\n"), "Ann"),
        (("trailing \n", ""), "Ann"),
        (("From ", ""), "Ann"),
        (("", " here\n"), ".com"),
    ],
)
def test_what_may_change_how_the_body_travels_is_read_as_a_whole(
    literals: tuple[str, ...], value: str
) -> None:
    assert planned(literals, value) is None


def test_a_value_that_must_be_rendered_is() -> None:
    class Unknown(Parts):
        def values(self, variables: Mapping[str, Any], /) -> None:
            return None

    plans = plan_gaps("plain", Unknown(("a", "b"), (0,)))
    assert len(plans) == 2
    assert [plan.fill({}) for plan in plans] == [None, None]


@pytest.mark.parametrize(
    ("literals", "is_known"),
    [
        (("Hello ", ",\n"), True),
        (("Hello ", "\n.\n"), False),
        ((".", "\n"), False),
        (("3", ".\na.b"), True),
        (("Hello  ", ",\n"), False),
        (("Hello\t", ",\n"), False),
        (("Hello ", "\n\n"), False),
    ],
)
def test_it_is_known_whether_the_content_is_plain(
    literals: tuple[str, ...], is_known: bool
) -> None:
    plan = plan_as_it_is("plain", Parts(literals, (0,)))
    assert plan is not None
    assert (plan.plain_from is not None) is is_known
    assert plan.fill({"values": ["two  blanks"]}) is None


# -- quoted-printable -------------------------------------------------------------------------


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


@pytest.mark.parametrize("value", ["", "\n", "Ann"])
def test_a_gap_that_may_part_a_line_break_is_read_as_a_whole(value: str) -> None:
    parts = Parts(("Hello\r", "\nAnn"), (0,))
    assert not [plan for plan in plan_gaps("plain", parts) if plan.fill({"values": [value]})]


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
    "literals", [("こんにちは、", "さん\n"), ("half \ud800", "\n"), ("\0", "")]
)
def test_words_that_need_another_encoding_have_no_plan(literals: tuple[str, ...]) -> None:
    assert plan_gaps("plain", Parts(literals, (0,))) == ()


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
