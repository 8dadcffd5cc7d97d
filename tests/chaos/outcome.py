"""What came of a run, counted from outside, and whether what R-OUTBOX promises held.

Kill any process at any moment, and nothing is lost; what may go out twice is at most one message
a connection of what was killed, with the same Message-ID. A server of the database that dies costs
no more than if every worker had been killed with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from kartramail.outbox.models import MessageState
from tests.chaos.arrivals import Arrival, find_copied, most_of_one_connection
from tests.chaos.kills import Kill, Outage
from tests.chaos.plan import CONNECTIONS, Plan, Victim, longest_hold
from tests.chaos.tally import Tally

_ORPHANS_END_WITHIN = 25.0
"""Seconds: ten are theirs, by `end_with_parent`; the rest is the machine's, which is busy."""


@dataclass(frozen=True, slots=True)
class Ends:
    """How processes ended that nobody killed."""

    fallen: Sequence[str]  # by themselves
    orphans: Sequence[tuple[int, float]]  # status, and seconds after their supervisor was killed
    supervisor: int  # told to stop
    declared_dead: int  # lives that others ended, for want of a beat


@dataclass(frozen=True, slots=True)
class Outcome:
    """The server's log, the rows, and what was seen of the processes."""

    plan: Plan
    tally: Tally
    kills: Sequence[Kill]
    outages: Sequence[Outage]
    ends: Ends
    longest_held: float
    seconds: float

    def killed(self, victim: Victim) -> int:
        """How often."""
        return sum(kill.victim is victim for kill in self.kills)

    @property
    def kills_while_sending(self) -> int:
        """Those that came while mail left: by the worker itself, where it was one."""
        return sum(kill.is_sending for kill in self.kills)

    @property
    def kills_in_doubt(self) -> int:
        """Those of workers with messages that the server had and the database had not."""
        return sum(kill.look.in_doubt > 0 for kill in self.kills if not kill.victim.is_web)

    @property
    def kills_while_writing(self) -> int:
        """Those in the middle of the transaction that records results."""
        return sum(kill.look.is_writing for kill in self.kills)

    @property
    def copies(self) -> int:
        """How many arrived more often than once."""
        return len(self._copied)

    @property
    def _copied(self) -> list[Arrival]:
        return find_copied(self.tally.arrivals)

    def copies_of(self, kill: Kill) -> int:
        """Messages that came again and had come over a connection that this kill cut off."""
        return sum(arrival.connection in kill.look.connections for arrival in self._copied)

    @property
    def most_copies(self) -> int:
        """One for each connection that a kill cut off, and what else may send twice."""
        return sum(len(kill.look.connections) for kill in self.kills) + self._most_unexplained

    @property
    def _most_unexplained(self) -> int:
        """Copies that no kill of a worker explains.

        Children of a killed supervisor end in good order, without any. One that does not in its
        time, one that was declared dead, and all when the database dies, may each leave a copy a
        connection.
        """
        cut_off = sum(status not in (0, -15) for status, _ in self.ends.orphans)
        lives = cut_off + self.ends.declared_dead + len(self.outages) * self.plan.workers
        return lives * CONNECTIONS

    @property
    def _unexplained(self) -> int:
        cut_off = {one for kill in self.kills for one in kill.look.connections}
        return sum(arrival.connection not in cut_off for arrival in self._copied)

    @property
    def stuck(self) -> int:
        """Messages that still wait, or that a worker holds, when nothing moves any more."""
        moving = (MessageState.QUEUED, MessageState.DEFERRED, MessageState.SENDING)
        return sum(self.tally.states[state] for state in moving)

    def broken_promises(self) -> list[str]:
        """What did not hold, in words; empty where all did."""
        return [*self._of_mail(), *self._of_copies(), *self._of_processes(), *self.tally.by_api()]

    def _of_mail(self) -> list[str]:
        tally, bound = self.tally, longest_hold(self.plan.lease)
        promises = {
            f"{tally.lost} messages are lost": tally.lost,
            f"{self.stuck} messages are stuck": self.stuck,
            f"not all were sent: {dict(tally.states)}": tally.states[MessageState.SENT]
            != self.plan.messages,
            f"{tally.strangers} arrived that nobody wrote": tally.strangers,
            f"a dead worker held messages for {self.longest_held:.1f} s, {bound:.1f} s at most": (
                self.longest_held > bound
            ),
        }
        return _broken(promises)

    def _of_copies(self) -> list[str]:
        copied, unexplained = self._copied, self._unexplained
        lives = 1 + len(self.outages) + self.ends.declared_dead  # a connection may outlive these
        most = most_of_one_connection(copied)
        one_id = len({(arrival.id, arrival.message_id) for arrival in self.tally.arrivals})
        promises = {
            f"{unexplained} copies that no kill explains, {self._most_unexplained} at most": (
                unexplained > self._most_unexplained
            ),
            f"{most} copies of one connection": most > lives,
            "a copy has another Message-ID": one_id
            != len({arrival.id for arrival in self.tally.arrivals}),
        }
        for kill in self.kills:
            count, bound = self.copies_of(kill), len(kill.look.connections)
            promises[f"{count} copies of the kill of a {kill.victim}, {bound} at most"] = (
                count > bound * lives
            )
        return _broken(promises)

    def _of_processes(self) -> list[str]:
        late = [after for _, after in self.ends.orphans if after > _ORPHANS_END_WITHIN]
        promises = {
            f"processes ended by themselves: {self.ends.fallen}": self.ends.fallen,
            f"children outlived their supervisor: {late} s": late,
            f"the crew did not end in good order: {self.ends.supervisor}": self.ends.supervisor,
        }
        return _broken(promises)


def _broken(promises: Mapping[str, object]) -> list[str]:
    return [words for words, is_broken in promises.items() if is_broken]
