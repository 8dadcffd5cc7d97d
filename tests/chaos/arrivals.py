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
    """The log, a line for each connection and each arrival. For any thread."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._reading = threading.Lock()
        self._read = 0  # octets
        self._all: list[Arrival] = []
        self._ids: set[str] = set()
        self._latest: dict[int, Arrival] = {}

    def _read_on(self) -> None:
        with self._reading, self._log.open("rb") as log:
            log.seek(self._read)
            whole = log.read().rpartition(b"\n")[0]
            if not whole:
                return
            self._read += len(whole) + 1
            for line in whole.decode().split("\n"):
                number, port, one, named = line.split("\t")
                arrival = Arrival(int(number), int(port), one, named)
                self._latest[arrival.port] = arrival
                if one:  # or it is a connection that was made
                    self._all.append(arrival)
                    self._ids.add(one)

    def count(self) -> int:
        """How many messages have arrived, once or more often."""
        self._read_on()
        return len(self._ids)

    def all(self) -> list[Arrival]:
        """All of them, in their order."""
        self._read_on()
        return list(self._all)

    def connections(self, ports: Iterable[int]) -> frozenset[int]:
        """The numbers of the connections that come from these ports now.

        A port is another connection's later: by it nothing is to be told at the end.
        """
        self._read_on()
        return frozenset(self._latest[port].connection for port in ports if port in self._latest)

    def latest(self, ports: Iterable[int]) -> list[str]:
        """The ids of the messages that came last from these ports, one for each that sent any."""
        self._read_on()
        latest = (self._latest[port].id for port in ports if port in self._latest)
        return [one for one in latest if one]


def find_copied(arrivals: Iterable[Arrival]) -> list[Arrival]:
    """Those that were not enough, so that the same message came again: one for each copy."""
    by_id: dict[str, list[Arrival]] = {}
    for arrival in arrivals:
        by_id.setdefault(arrival.id, []).append(arrival)
    return [earlier for same in by_id.values() for earlier, _ in pairwise(same)]


def most_of_one_connection(copied: Sequence[Arrival]) -> int:
    """How many of these came over the connection that has the most of them."""
    return max(Counter(arrival.connection for arrival in copied).values(), default=0)
