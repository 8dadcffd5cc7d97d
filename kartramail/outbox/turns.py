"""Whose turn it is among the lanes of one stream: accounts take turns by weight (R-FAIR).

Within an account its lanes take turns. An account has no more of the whole for having many lanes.
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice

from kartramail.outbox.lane_looks import OpenLane

_TURN = 8
"""Rows that a lane of weight 1 has in one turn, where several accounts wait."""


class Turns:
    """The lanes of one stream in the order of their turns, also from one look to the next."""

    def __init__(self) -> None:
        self._accounts: deque[deque[OpenLane]] = deque()
        self._last_account = 0  # that had the last turn
        self._last_lanes: dict[int, int] = {}  # and of each account, the lane

    def __bool__(self) -> bool:
        return bool(self._accounts)

    def renew(self, lanes: Iterable[OpenLane]) -> None:
        """These are open now; whoever had the last turn goes last."""
        groups: dict[int, deque[OpenLane]] = {}
        for lane in sorted(lanes, key=self._place):
            groups.setdefault(lane.account_id, deque()).append(lane)
        self._accounts = deque(groups.values())
        self._last_lanes = {
            account: lane for account, lane in self._last_lanes.items() if account in groups
        }

    def next_share(self, room: int) -> tuple[OpenLane, int]:
        """The lane that goes next, and how many of `room` rows it may have."""
        lane = self._accounts[0][0]
        return lane, _share(lane.weight, sum(lanes[0].weight for lanes in self._accounts), room)

    def coming(self, room: int, most: int) -> list[OpenLane]:
        """The lanes that go next, at most so many, if each gives its whole share of `room` rows."""
        weight = sum(lanes[0].weight for lanes in self._accounts)
        coming = []
        for lanes in islice(self._accounts, most):
            coming.append(lanes[0])
            room -= _share(lanes[0].weight, weight, room)
            if room <= 0:
                break
        return coming

    def end_turn(self, *, is_empty: bool) -> None:
        """The lane that went next had its turn. One that has no more drops out at once, and the
        next of its account has the turn.
        """
        lanes = self._accounts[0]
        self._last_account, self._last_lanes[lanes[0].account_id] = lanes[0].account_id, lanes[0].id
        if is_empty:
            lanes.popleft()
            if not lanes:
                self._accounts.popleft()
        else:
            lanes.rotate(-1)
            self._accounts.rotate(-1)

    def _place(self, lane: OpenLane) -> tuple[bool, int, bool, int]:
        had_turn = lane.account_id <= self._last_account
        return (
            had_turn,
            lane.account_id,
            lane.id <= self._last_lanes.get(lane.account_id, 0),
            lane.id,
        )


def _share(weight: int, of_all: int, room: int) -> int:
    """What a lane of that weight has of `room`, where all that wait weigh so much."""
    if weight == of_all:
        return room
    return min(room, max(_TURN, room // of_all) * weight)
