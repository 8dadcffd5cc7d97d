"""Work that several threads want at the same time is done once, and all get its result."""

import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class SingleFlight(Generic[K, V]):
    """Runs under way, by key. Nothing is kept once a run has ended."""

    def __init__(self) -> None:
        self._running: dict[K, Future[V]] = {}
        self._lock = threading.Lock()

    def run(self, key: K, work: Callable[[], V], deadline: float) -> V:
        """The result of `work`, or of the run of the same key that is under way.

        Who joins a run waits until `deadline` (monotonic seconds) at most, then gets TimeoutError.
        What `work` raises is raised in all of them.
        """
        own: Future[V] = Future()
        with self._lock:
            other = self._running.setdefault(key, own)
        if other is not own:
            return other.result(max(0.0, deadline - time.monotonic()))
        try:
            own.set_result(work())
        except BaseException as error:
            own.set_exception(error)
        with self._lock:
            del self._running[key]
        return own.result()
