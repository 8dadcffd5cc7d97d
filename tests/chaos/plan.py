"""What a run is to do: how much mail, who is killed how often, and what is promised of it."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.chaos.databases import PostgreSql

CONNECTIONS = 8
BEAT = 3.0
"""Seconds allowed for two beats on a machine that has other things to do: the one that comes a
moment too early, and the one that takes the rows up. On an idle one they are hundredths."""


class Victim(StrEnum):
    """Processes that an operator has."""

    WORKER = "worker"
    SUPERVISOR = "supervisor"
    WEB_MASTER = "web master"
    WEB_WORKER = "web worker"

    @property
    def is_web(self) -> bool:
        """Whether it takes requests and sends no mail."""
        return self in (Victim.WEB_MASTER, Victim.WEB_WORKER)


class Aim(StrEnum):
    """The moment at which a process is hit."""

    CHANCE = "wherever it is"
    BUSY = "at work"
    IN_DOUBT = "with something done and not told"
    WRITING = "in the transaction that records them"


_SHARES = {
    Victim.WORKER: 0.6,
    Victim.SUPERVISOR: 0.15,
    Victim.WEB_WORKER: 0.15,
}  # the rest: masters
MOMENTS = (Aim.WRITING, Aim.IN_DOUBT, Aim.BUSY, Aim.WRITING, Aim.IN_DOUBT, Aim.BUSY, Aim.CHANCE)
"""Those of workers, in turn."""

_AIMS_AT = {Victim.WEB_WORKER: (Aim.IN_DOUBT, Aim.BUSY)}


def everybody(kills: int) -> dict[Victim, int]:
    """So many kills, shared out: most are workers, as they hold the mail."""
    shared = {victim: round(share * kills) for victim, share in _SHARES.items()}
    return shared | {Victim.WEB_MASTER: kills - sum(shared.values())}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do; `by_web` of the messages come by API, `server` is stopped and started again.

    `pause`: seconds that the mail server takes for a message; mail is not to leave before the kills
    have come.
    """

    messages: int
    kills: Mapping[Victim, int] = field(default_factory=dict)
    workers: int = 2
    by_web: int = 0
    lease: float = 2.0
    pause: float = 0.1
    aims: Sequence[Aim] = MOMENTS
    server: PostgreSql | None = None
    patience: float = 120.0

    def deck(self) -> list[tuple[Victim, Aim]]:
        """Who is killed, and when in its work, in an order of chance.

        Few come wherever they hit, be it in the middle of a start; all others while mail leaves.
        """
        deck = []
        for victim, count in self.kills.items():
            aims = self.aims if victim is Victim.WORKER else _AIMS_AT.get(victim, (Aim.BUSY,))
            deck += [(victim, aims[n % len(aims)]) for n in range(count)]
        random.shuffle(deck)
        return deck


def longest_hold(lease: float) -> float:
    """Seconds for which a dead worker's rows may stay its own, while another one lives.

    Its last heartbeat is no younger than its death, so it is declared dead when the lease is over
    by whoever beats next; each worker does so a sixth of the lease after its last beat was done.
    A lease of seven sixths therefore, and the time of the beats themselves.
    """
    return lease * 7 / 6 + BEAT
