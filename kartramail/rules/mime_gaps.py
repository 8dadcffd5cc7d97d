"""Bodies with gaps, filled in without being read again: each literal is judged and encoded once.

A plan is the quick way to a body; for a value that it cannot take there is no result. There are two
kinds. Where everything is ASCII and stays so (names, numbers, addresses, most links), the result is
what `encode_part` gives for the whole text; that kind stands here. Else the body is
quoted-printable (`mime_quoted_gaps`).
"""

import re
from collections.abc import Callable

from kartramail.rules.headers import MAX_LINE_LENGTH
from kartramail.rules.mime_bodies import entity_header, is_plain, travels_as_it_is
from kartramail.rules.mime_gap_plans import GAP, Filling, GapPlan, in_turn, mark_gaps
from kartramail.rules.mime_quoted_gaps import plan_quoted


def plan_gaps(subtype: str, filling: Filling) -> tuple[GapPlan, ...]:
    """The ways to fill in a body of type text/`subtype`, the plainest first."""
    marked = mark_gaps(filling.literals)
    if marked is None:
        return ()
    plans = (_plan_plain(subtype, filling, marked), plan_quoted(subtype, filling, marked))
    return tuple(plan for plan in plans if plan is not None)


def _plan_plain(subtype: str, filling: Filling, marked: str) -> GapPlan | None:
    """None where the literals cannot go as 7bit."""
    if not marked.isascii():
        return None
    sample = marked.replace(GAP, "x").encode("ascii")
    room = _room(marked)
    if room is None or not travels_as_it_is(sample):
        return None
    header = entity_header(subtype, b"us-ascii", b"7bit")
    first, *others = marked.replace("\n", "\r\n").encode("ascii").split(GAP.encode("ascii"))
    return GapPlan(
        filling,
        _as_it_is(room),
        (header + first, *others),
        in_turn(filling.gaps),
        0 if is_plain(sample.replace(b"\n", b"\r\n")) else None,
    )


def _room(marked: str) -> int | None:
    """Characters for each value, so that no line gets too long.

    None where a value may go on with what begins like "From ", which mbox files change.
    """
    room = MAX_LINE_LENGTH
    for line in marked.split("\n"):
        count = line.count(GAP)
        if not count:
            continue
        before = line.partition(GAP)[0]
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
