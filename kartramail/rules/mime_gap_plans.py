"""What a body with gaps is made of, and a plan to fill it in: the same for all kinds of plans."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


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


GAP = "\0"  # a literal that has one is read with its text


def mark_gaps(literals: tuple[str, ...]) -> str | None:
    """The text in lines, with a mark for each gap.

    None where a gap comes after a CR: whether that ends a line depends on what fills it.
    """
    if any(GAP in literal for literal in literals) or any(
        before.endswith("\r") for before in literals[:-1]
    ):
        return None
    text = GAP.join(literals).replace("\r\n", "\n").replace("\r", "\n")
    return text if text.endswith("\n") else text + "\n"


def in_turn(gaps: tuple[int, ...]) -> tuple[int, ...]:
    """The places of literals and values in turn, among the literals followed by the values."""
    places = [0]
    for number, gap in enumerate(gaps, 1):
        places += [len(gaps) + 1 + gap, number]
    return tuple(places)
