"""Bodies with gaps as quoted-printable, filled in without being read again.

Each value stands between soft line breaks of its own (RFC 2045 §6.7), so that it changes nothing
around it.
"""

import re

from kartramail.rules.mime_bodies import (
    SOFT_BREAK,
    entity_header,
    is_plain,
    is_quoted_shorter,
    quoted,
)
from kartramail.rules.mime_gap_plans import GAP, Filling, GapPlan, in_turn


def plan_quoted(subtype: str, filling: Filling, marked: str) -> GapPlan | None:
    """How to fill in a body of type text/`subtype`, of which `marked` is the text (`mark_gaps`).

    None where base64 would be shorter, and where no text is half a character.
    """
    try:
        literals = [literal.encode("utf-8") for literal in marked.split(GAP)]
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
        in_turn(filling.gaps),
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
