"""Texts of literals and gaps, with values for them, harmless and hostile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st


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
