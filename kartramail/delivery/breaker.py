"""A circuit breaker over the mail server."""

import threading
import time

_PAUSES = (0.5, 1.0, 2.0, 5.0)


class Breaker:
    """Opens when no connection can be made, so that one dead server is not asked by everybody."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._open_until = 0.0

    def trip(self) -> None:
        """A connection could not be made."""
        with self._lock:
            if time.monotonic() < self._open_until:
                return
            pause = _PAUSES[min(self._failures, len(_PAUSES) - 1)]
            self._failures += 1
            self._open_until = time.monotonic() + pause

    def reset(self) -> None:
        """A server answered."""
        self._failures = 0

    @property
    def is_open(self) -> bool:
        """Whether to leave the server alone for a moment."""
        return time.monotonic() < self._open_until
