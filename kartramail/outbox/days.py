"""What one claim may begin to send today, of each account whose mail it takes (R-FAIR).

Two claims must not wait for each other in a circle. So one counts, at its first turn, for all that
will have a turn if each gives what it may, in one statement and in one order; and what comes up
after that only where it stands behind all these.
"""

from collections.abc import Sequence
from datetime import date

from sqlmodel import Session

from kartramail.outbox.lane_looks import OpenLane
from kartramail.outbox.limits import Counted, lock_order, reserve, take_back


class Days:
    """The counts of the day that one claim holds. `most` rows are claimed in all."""

    def __init__(self, session: Session, day: date, most: int) -> None:
        self._session = session
        self._day = day
        self._most = most
        self._left: dict[Counted, int] = {}  # what may still begin, of those that are held
        self._unused: dict[Counted, int] = {}  # what is counted too much for each

    def may_send(self, coming: Sequence[OpenLane]) -> bool:
        """See that the first of these may have its turn; False where this claim has to end.

        The others are those that follow if each gives all that its turn allows.
        """
        if not _is_counted(coming[0]) or _key(coming[0]) in self._left:
            return True
        last = max(map(lock_order, self._left), default=None)
        if last is not None and lock_order(_key(coming[0])) <= last:
            return False
        limits = {
            _key(lane): lane.limit or 0
            for lane in coming
            if _is_counted(lane) and (last is None or lock_order(_key(lane)) > last)
        }
        self._left |= reserve(self._session, limits, self._day, self._most)
        self._unused |= dict.fromkeys(limits, self._most)
        return True

    def allowed(self, lane: OpenLane, most: int) -> int:
        """How many first tries may begin."""
        if lane.is_full:
            return 0
        return most if lane.limit is None else min(most, self._left[_key(lane)])

    def began(self, lane: OpenLane, count: int) -> None:
        """So many first tries are held now."""
        if count:
            self._left[_key(lane)] -= count
            self._unused[_key(lane)] -= count

    def close(self) -> None:
        """Take back what was counted and did not begin."""
        take_back(self._session, {(*key, self._day): n for key, n in self._unused.items()})


def _key(lane: OpenLane) -> Counted:
    return lane.account_id, lane.stream


def _is_counted(lane: OpenLane) -> bool:
    return lane.limit is not None and not lane.is_full
