"""A cache that is bounded by what its things weigh and not by how many there are."""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class WeighedCache(Generic[K, V]):
    """What was used lately, up to `most` in weight, but always the last one. Safe for threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._things: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self.weight = 0

    def __contains__(self, key: K) -> bool:
        return key in self._things

    def get(self, key: K) -> V | None:
        """The thing, which counts as used; None where it is not there."""
        with self._lock:
            if key not in self._things:
                return None
            self._things.move_to_end(key)
            return self._things[key][0]

    def keep(self, key: K, thing: V, weight: int) -> None:
        """Keep it, and let go of what was not used for longest where all is too heavy."""
        with self._lock:
            self.weight += weight - self._things.pop(key, (thing, 0))[1]
            self._things[key] = thing, weight
            while self.weight > self._most and len(self._things) > 1:
                _, (_, freed) = self._things.popitem(last=False)
                self.weight -= freed
