"""Where each lane begins, as one process remembers it, so that no claim walks over what has left.

PostgreSQL keeps the index entries of rows that have left while any transaction is old enough to
see them, a backup for instance: from the beginning of a lane, a claim would visit each of them,
and with a million sent it would take seconds. SQLite takes them out at once and needs none of this.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import NamedTuple

FRESH = timedelta(seconds=5)
"""What is due for less than this is always looked through: commits come late, clocks differ."""

_SHARE = 20
"""A look from the beginning may take a twentieth of the time, …"""

_LONGEST = 30.0
"""… but what came to lie below a floor after all waits no longer than these seconds."""

MOST_EMPTY = 1_000
"""Lanes with nothing in them whose floors are kept: what has left them may still be visible."""


class Place(NamedTuple):
    """A place in a lane's order."""

    due_at: datetime
    id: int


BEGINNING = Place(datetime(1970, 1, 1, tzinfo=UTC), 0)


class Floors:
    """By lane, the first place at which something waited at the last look, nothing of it fresh.

    Below it lies only what came there later: whoever gives a row back, hurries it or adds one
    makes it due now, by a clock and a commit that may be late. Beyond `FRESH`, it is met by the
    next look from the beginning.
    """

    def __init__(self, whole_every: float | None = None) -> None:
        """`whole_every`: seconds between looks from the beginning, where they are only figures."""
        self._whole_every = whole_every
        self._places: dict[int, Place] = {}
        self._whole_at = 0.0  # on the monotonic clock

    def start(self) -> dict[int, Place]:
        """Where the look that begins now starts in each lane: nothing, when it is to be whole."""
        return dict(self._places) if monotonic() < self._whole_at else {}

    def learn(self, lane_ids: Iterable[int]) -> None:
        """Of lanes that were there before this process: the next `note` tells the empty ones."""
        self._places = dict.fromkeys(lane_ids, BEGINNING) | self._places

    def note(
        self, found: Mapping[int, Place], at: datetime, *, is_whole: bool, seconds: float
    ) -> None:
        """What a look found first in each lane that has something, held back or not.

        Its statement began at `at` or later and took `seconds`.
        """
        fresh = Place(at - FRESH, 0)
        empty = [lane_id for lane_id in self._places if lane_id not in found][-MOST_EMPTY:]
        self._places = dict.fromkeys(empty, fresh)
        self._places |= {lane_id: min(place, fresh) for lane_id, place in found.items()}
        if is_whole:
            pause = self._whole_every or min(_SHARE * seconds, _LONGEST)
            self._whole_at = monotonic() + pause

    def of(self, lane_id: int) -> Place:
        """Where claims of that lane may begin."""
        return self._places.get(lane_id, BEGINNING)
