"""Bodies with gaps, filled in without being read again: each literal is judged and encoded once.

A plan is the quick way to a body; for a value that it cannot take there is no result. There are two
kinds. Where everything is ASCII and stays so (names, numbers, addresses, most links), the result is
what `encode_part` gives for the whole text. Else the body is quoted-printable, with each value
between soft line breaks of its own (RFC 2045 §6.7), so that it changes nothing around it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from kartramail.rules.headers import MAX_LINE_LENGTH
from kartramail.rules.mime_bodies import (
    SOFT_BREAK,
    entity_header,
    is_plain,
    is_quoted_shorter,
    quoted,
    travels_as_it_is,
)


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
    """How a body is filled in: what is the same for everybody, and where the values go.

    `write` gives a value as it travels, None for one that it cannot take. `ready` are the literals
    as they travel, the first with the header before it. `order` says which of them, and of the
    values after them, stands where. `plain_from` is 0 where what is filled in is plain
    (`mime.Filled`), and None where that is not known.
    """

    filling: Filling
    write: Callable[[str], bytes | None]
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
            written = self.write(value)
            if written is None:
                return None
            pieces.append(written)
        return b"".join(map(pieces.__getitem__, self.order))


def plan_gaps(subtype: str, filling: Filling) -> tuple[GapPlan, ...]:
    """The ways to fill in a body of type text/`subtype`, the plainest first."""
    marked = _marked(filling.literals)
    if marked is None:
        return ()
    plans = (_plan_plain(subtype, filling, marked), _plan_quoted(subtype, filling, marked))
    return tuple(plan for plan in plans if plan is not None)


_GAP = "\0"  # a literal that has one is read with its text


def _marked(literals: tuple[str, ...]) -> str | None:
    """The text in lines, with a mark for each gap.

    None where a gap comes after a CR: whether that ends a line depends on what fills it.
    """
    if any(_GAP in literal for literal in literals) or any(
        before.endswith("\r") for before in literals[:-1]
    ):
        return None
    text = _GAP.join(literals).replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else text + "\n"


def _order(gaps: tuple[int, ...]) -> tuple[int, ...]:
    """The places of literals and values in turn, among the literals followed by the values."""
    places = [0]
    for number, gap in enumerate(gaps, 1):
        places += [len(gaps) + 1 + gap, number]
    return tuple(places)


# -- as it is ---------------------------------------------------------------------------------


def _plan_plain(subtype: str, filling: Filling, marked: str) -> GapPlan | None:
    """None where the literals cannot go as 7bit."""
    if not marked.isascii():
        return None
    sample = marked.replace(_GAP, "x").encode("ascii")
    room = _room(marked)
    if room is None or not travels_as_it_is(sample):
        return None
    header = entity_header(subtype, b"us-ascii", b"7bit")
    first, *others = marked.replace("\n", "\r\n").encode("ascii").split(_GAP.encode("ascii"))
    return GapPlan(
        filling,
        _as_it_is(room),
        (header + first, *others),
        _order(filling.gaps),
        0 if is_plain(sample.replace(b"\n", b"\r\n")) else None,
    )


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


def _as_it_is(room: int) -> Callable[[str], bytes | None]:
    """Writes the values that travel as they are in any gap of a body that does.

    Not those that may end a line with a blank, begin one with "From " or a dot, or become a part
    of the boundary, with what stands beside them; nor empty ones, which join their neighbours.
    """
    begins = r"(?![-=_ .]|From |F(?:r(?:om?)?)?\Z)"
    fits = re.compile(rf"{begins}[ -~]{{1,{max(room, 1)}}}(?<![-= ])").fullmatch

    def write(value: str) -> bytes | None:
        if not fits(value) or "--=_" in value or "  " in value:
            return None
        return value.encode("ascii")

    return write


# -- quoted-printable -------------------------------------------------------------------------


def _plan_quoted(subtype: str, filling: Filling, marked: str) -> GapPlan | None:
    """None where base64 would be shorter, and where no text is half a character."""
    try:
        literals = [literal.encode("utf-8") for literal in marked.split(_GAP)]
    except UnicodeEncodeError:
        return None
    if not is_quoted_shorter(b"".join(literals)):
        return None
    first, *others = (quoted(literal) for literal in literals)
    pieces = [first, *map(_after_value, others)]
    pieces = [*map(_before_value, pieces[:-1]), pieces[-1]]
    ready = [piece.replace(b"\n", b"\r\n") for piece in pieces]
    header = entity_header(subtype, b"utf-8", b"quoted-printable")
    return GapPlan(
        filling,
        _write_quoted if others[-1].strip(b"\n") else _write_quoted_last,
        (header + ready[0], *ready[1:]),
        _order(filling.gaps),
        0 if is_plain(b"x".join(ready)) else None,
    )


def _before_value(literal: bytes) -> bytes:
    """A quoted literal that what follows begins a line after."""
    return literal if not literal or literal.endswith(b"\n") else literal + SOFT_BREAK


def _after_value(literal: bytes) -> bytes:
    """A quoted literal that begins a line, after whatever line was there."""
    return literal if literal.startswith(b"\n") else SOFT_BREAK + literal


# One line of what needs no quoting, and that is plain by itself.
_NEEDS_NO_QUOTING = re.compile(r"(?![ .]|From )[ -<>-~]{1,72}(?<! )").fullmatch
_NOT_PLAIN = re.compile("[\0-\x09\x0b-\x1f]|  ").search


def _write_quoted(value: str) -> bytes | None:
    """In lines of its own; None for what would not be plain, or not read the same by itself."""
    if _NEEDS_NO_QUOTING(value) and "  " not in value:
        return value.encode("ascii")
    if _NOT_PLAIN(value):
        return None
    try:
        written = quoted(value.encode("utf-8"))
    except UnicodeEncodeError:  # half a character
        return None
    return written.replace(b"\n", b"\r\n")


def _write_quoted_last(value: str) -> bytes | None:
    """Where nothing follows: an empty line that it left at the end would not be signed."""
    return None if not value or value.endswith("\n") else _write_quoted(value)
