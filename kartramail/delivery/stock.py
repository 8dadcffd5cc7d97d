"""Rows that were claimed and wait in this process, transactional ones first (R-FAIR)."""

from collections import deque

from kartramail.delivery.loading import Loaded
from kartramail.rules.streams import Stream


class Stock:
    """First in, first out within each stream. Safe for threads: a deque is."""

    def __init__(self) -> None:
        self._urgent: deque[Loaded] = deque()
        self._others: deque[Loaded] = deque()

    def __len__(self) -> int:
        return len(self._urgent) + len(self._others)

    def put(self, loaded: list[Loaded]) -> None:
        """More rows, in the order that they were claimed in."""
        for one in loaded:
            is_urgent = one.message.stream is Stream.TRANSACTIONAL
            (self._urgent if is_urgent else self._others).append(one)

    def take(self) -> Loaded | None:
        """The row that goes next."""
        for waiting in (self._urgent, self._others):
            try:
                return waiting.popleft()
            except IndexError:
                continue
        return None
