"""Bodies with gaps that go as they are: octet by octet what their whole text would give."""

from collections.abc import Iterator, Mapping
from itertools import combinations_with_replacement, pairwise, product
from typing import Any

import pytest
from hypothesis import given, settings

from kartramail.rules.mime_bodies import encode_part, is_plain
from kartramail.rules.mime_gap_plans import GapPlan
from kartramail.rules.mime_gaps import plan_gaps
from tests.rules.fillings import Parts, fillings


def plan_as_it_is(subtype: str, parts: Parts) -> GapPlan | None:
    return next((plan for plan in plan_gaps(subtype, parts) if b"7bit" in plan.ready[0]), None)


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


@pytest.mark.parametrize("value", ["", "\n", "Ann"])
def test_a_gap_that_may_part_a_line_break_is_read_as_a_whole(value: str) -> None:
    parts = Parts(("Hello\r", "\nAnn"), (0,))
    assert not [plan for plan in plan_gaps("plain", parts) if plan.fill({"values": [value]})]


@pytest.mark.parametrize(
    "literals", [("こんにちは、", "さん\n"), ("half \ud800", "\n"), ("\0", "")]
)
def test_words_that_need_another_encoding_have_no_plan(literals: tuple[str, ...]) -> None:
    assert plan_gaps("plain", Parts(literals, (0,))) == ()
