"""What the counting server wrote down: read again and again while it grows."""

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Arrival:
    """One message: the connection's number and the client's port, our id for it, its Message-ID."""

    connection: int
    port: int
    id: str
    message_id: str


class Arrivals:
    """The log, a line an arrival. For any thread."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._reading = threading.Lock()
        self._read = 0  # octets
        self._all: list[Arrival] = []
        self._ids: set[str] = set()
        self._latest: dict[int, str] = {}

    def _read_on(self) -> None:
        with self._reading, self._log.open("rb") as log:
            log.seek(self._read)
            whole = log.read().rpartition(b"\n")[0]
            if not whole:
                return
            self._read += len(whole) + 1
            for line in whole.decode().split("\n"):
                number, port, one, named = line.split("\t")
                self._all.append(Arrival(int(number), int(port), one, named))
                self._ids.add(one)
                self._latest[int(port)] = one

    def count(self) -> int:
        """How many messages have arrived, once or more often."""
        self._read_on()
        return len(self._ids)

    def all(self) -> list[Arrival]:
        """All of them, in their order."""
        self._read_on()
        return list(self._all)

    def latest(self, ports: Iterable[int]) -> list[str]:
        """The ids of the messages that came last from these ports, one for each that sent any."""
        self._read_on()
        return [self._latest[port] for port in ports if port in self._latest]


def find_copied(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Those that were not enough, so that the same message came again: one for each copy."""
    by_id: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        by_id.setdefault(arrival.id, []).append(arrival)
    return [earlier for same in by_id.values() for earlier, _ in pairwise(same)]


def most_of_one_connection(copied: Sequence[Arrival]) -> int:
    """How many of these came over the connection that has the most of them."""
    return max(Counter(arrival.connection for arrival in copied).values(), default=0)
