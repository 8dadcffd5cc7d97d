"""When rows of one recipient domain that is busy come back: one after the other, and not at once.

Each look at a row that cannot go costs a claim and a write, so they are few: what has a place comes
when the place is free, all others come spread, and never more than some hundred a second.
"""

_LEAST_SPACING = 0.001
_LATE_SHARE = 1 / 3
_LOOK_SPACING = 0.005  # seconds between rows that only come to look whether there is room


class Slots:
    """Virtual scheduling of the rows of one domain and one stream. Seconds of a monotonic clock."""

    __slots__ = ("_look_at", "next_at")

    def __init__(self) -> None:
        self.next_at = 0.0  # the next place that is free
        self._look_at = 0.0  # the last row that has no place

    def take(self, begin: float, end: float, last: float, spacing: float, chance: float) -> float:
        """A place between `begin` and `end`, `spacing` seconds after the one before.

        Where none is left: some time in the last third before `end`, or after all others that have
        none, until `last`. `chance` is from 0 to 1.
        """
        place = max(self.next_at, begin)
        if place <= end:
            self.next_at = place + max(spacing, _LEAST_SPACING)
            return place
        earliest = end - (end - begin) * _LATE_SHARE
        self._look_at = max(self._look_at + _LOOK_SPACING, earliest)
        if self._look_at > last:  # so many that they must come more densely
            self._look_at = last - (last - begin) * _LATE_SHARE
        return max(self._look_at, earliest + (end - earliest) * chance)
