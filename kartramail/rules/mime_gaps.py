"""Bodies with gaps, filled in without being read again: each literal is judged and encoded once.

For values that cannot change how the body travels (names, numbers, addresses, most links) the
result is what `encode_part` gives for the whole text, at a fraction of its work; for any other
value there is no result, and `encode_part` decides.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from kartramail.rules.headers import MAX_LINE_LENGTH
from kartramail.rules.mime_bodies import entity_header, is_plain, travels_as_it_is


class Filling(Protocol):
    """Literals with a gap between each two; `gaps` says which of the values stands in each."""

    @property
    def literals(self) -> tuple[str, ...]:
        """One more than there are gaps, some of them empty."""

    @property
    def gaps(self) -> tuple[int, ...]:
        """The place in `values` of what stands in each gap."""

    def values(self, variables: Mapping[str, object], /) -> Sequence[str] | None:
        """The distinct values for one recipient; None where the text must be rendered."""


@runtime_checkable
class HasGaps(Protocol):
    """A text that may be nothing but a filling."""

    @property
    def filling(self) -> Filling | None:
        """What the text is made of, if rendering does nothing but join it."""


@dataclass(frozen=True, slots=True)
class GapPlan:
    """A body that goes as 7bit whatever fitting values stand in its gaps.

    `ready` are the literals as they travel, the first with the header before it. `order` says which
    of them, and of the values after them, stands where. `plain_from` is 0 where what is filled in
    is plain (`mime.Filled`), and None where that is not known.
    """

    filling: Filling
    fits: Callable[[str], object]
    ready: tuple[bytes, ...]
    order: tuple[int, ...]
    plain_from: int | None

    def fill(self, variables: Mapping[str, object]) -> bytes | None:
        """The entity for one recipient; None where a value does not fit."""
        values = self.filling.values(variables)
        if values is None:
            return None
        pieces = [*self.ready]
        for value in values:
            if not self.fits(value) or "--=_" in value or "  " in value:
                return None
            pieces.append(value.encode("ascii"))
        return b"".join(map(pieces.__getitem__, self.order))


def plan_gaps(subtype: str, filling: Filling) -> GapPlan | None:
    """How to fill in a body of type text/`subtype`; None where its literals cannot go as 7bit."""
    marked = _marked(filling.literals)
    if marked is None:
        return None
    sample = marked.replace(_GAP, "x").encode("ascii")
    room = _room(marked)
    if room is None or not travels_as_it_is(sample):
        return None
    content = sample.replace(b"\n", b"\r\n")
    return GapPlan(
        filling,
        _fitting(room),
        _ready(subtype, marked),
        _order(filling.gaps),
        0 if is_plain(content) else None,
    )


_GAP = "\0"  # no literal of a body that goes as 7bit has one


def _marked(literals: tuple[str, ...]) -> str | None:
    """The text in lines, with a mark for each gap. A gap is never empty: it parts CR from LF."""
    if not all(literal.isascii() and _GAP not in literal for literal in literals):
        return None
    text = _GAP.join(literals).replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else text + "\n"


def _room(marked: str) -> int | None:
    """Characters for each value, so that no line gets too long.

    None where a value may go on with what begins like "From ", which mbox files change.
    """
    room = MAX_LINE_LENGTH
    for line in marked.split("\n"):
        count = line.count(_GAP)
        if not count:
            continue
        before = line.partition(_GAP)[0]
        if before and "From ".startswith(before):
            return None
        room = min(room, (MAX_LINE_LENGTH - len(line) + count) // count)
    return room


def _fitting(room: int) -> Callable[[str], object]:
    """Tells the values that travel as they are in any gap of a body that does.

    Not those that may end a line with a blank, begin one with "From " or a dot, or become a part
    of the boundary, with what stands beside them; nor empty ones, which join their neighbours.
    """
    begins = r"(?![-=_ .]|From |F(?:r(?:om?)?)?\Z)"
    return re.compile(rf"{begins}[ -~]{{1,{max(room, 1)}}}(?<![-= ])").fullmatch


def _ready(subtype: str, marked: str) -> tuple[bytes, ...]:
    first, *others = marked.replace("\n", "\r\n").encode("ascii").split(_GAP.encode("ascii"))
    return entity_header(subtype, b"us-ascii", b"7bit") + first, *others


def _order(gaps: tuple[int, ...]) -> tuple[int, ...]:
    """The places of literals and values in turn, among the literals followed by the values."""
    places = [0]
    for number, gap in enumerate(gaps, 1):
        places += [len(gaps) + 1 + gap, number]
    return tuple(places)
