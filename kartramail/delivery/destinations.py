"""How many connections each recipient domain may hold, and when one may be tried again (R-FAIR).

All mail goes over one relay with a fixed number of connections, so a domain whose answers take
long would come to hold all of them. Those few share a small part; a quick domain is not limited.
One that says 421 or 4.7.x is left alone for a while, longer each time. No I/O in here: one object
a process, asked by all of its threads.
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from kartramail import clock as wall_clock
from kartramail.delivery.destination import (
    LONGEST_PAUSE,
    SLOW_SECONDS,
    Destination,
    is_about_recipient,
)
from kartramail.outbox.destinations import Closed
from kartramail.rules.replies import Reply
from kartramail.rules.streams import Stream

__all__ = ["Clock", "Closed", "Destinations"]

MOST_KEPT = 10_000
_SHARE = 8  # slow domains together hold one connection in so many
_FORGOTTEN_AFTER = 2 * LONGEST_PAUSE
_QUIET = LONGEST_PAUSE + 60  # all that waited for a slot has come by then
_ASKED = "{} asked us to slow down: "
_SLOW_FACTOR = 5.0  # slow is what takes so many times as long as others do
_EVERYBODY_STEP = 1.25
_QUICKEST = 0.05


class Clock(NamedTuple):
    """`monotonic` seconds to reckon with, and the `wall` time to tell others."""

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], datetime] = wall_clock.now


class Destinations:
    """The domains that mail goes to over the `connections` of this process."""

    def __init__(
        self,
        connections: int,
        clock: Clock | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock or Clock()
        self._monotonic = self._clock.monotonic
        self._chance = chance
        self._lock = threading.Lock()
        self._domains: dict[str, Destination] = {}
        self._connections = connections
        self._for_slow = max(1, connections // _SHARE)
        self._for_one_slow = min(2, self._for_slow)
        self._for_unknown = max(1, min(max(2, connections // 4), connections - 1))
        self._for_half = max(1, connections // 2)
        self._enough_slow = max(2, min(6, connections // 2))
        self._slow: dict[str, Destination] = {}  # those that seemed slow when last looked at
        self._closed: dict[str, Destination] = {}  # those that asked for a pause
        self._slow_rests_until = 0.0
        self._everybody = 0.0  # the seconds that half of all answers take, about

    # -- what the engine asks -----------------------------------------------------------------

    def admit(self, domain: str) -> bool:
        """Whether a message to the domain may go on a connection now; it is under way then."""
        at = self._monotonic()
        with self._lock:
            one = self._domains.get(domain) or self._meet(domain, at)
            one.touched = at
            if at < one.closed_until or not self._has_room(domain, one, at):
                return False
            one.starts.append(at)
            return True

    def is_quick(self, domain: str) -> bool:
        """Whether it has answered before, and always in good time of late."""
        one = self._domains.get(domain)
        return one is not None and one.is_known and not one.score

    def settle(
        self, domain: str, seconds: float, reply: Reply, *, is_excused: bool = False
    ) -> None:
        """An answer came (or none will), `seconds` after MAIL or RCPT was sent."""
        at = self._monotonic()
        with self._lock:
            one = self._domains.get(domain) or self._meet(domain, at)
            if not is_excused:
                one.take_from_wire(at, seconds)
            if not is_about_recipient(reply):
                return
            slow_from = self._slow_from()
            if reply.code is not None or seconds > slow_from:
                self._learn_everybody(seconds)
                one.learn_seconds(at, seconds, self._slow_from(), self._enough_slow)
                if (one.score or domain in self._slow) and self._is_slow(domain, one, at):
                    self._rest(seconds, at)
            one.learn_reply(at, reply, self._connections, self._chance())
            if at < one.closed_until:
                self._closed[domain] = one

    def excuse(self, domain: str, since: float) -> None:
        """What was admitted by `since` (monotonic) waits for the answer to another message.

        It takes no place of its domain from now on, nor says that it hangs.
        """
        with self._lock:
            one = self._domains.get(domain)
            if one is not None:
                one.excuse(since)

    def withdraw(self, domain: str) -> None:
        """One that was admitted never went on the wire."""
        with self._lock:
            one = self._domains.get(domain)
            if one is not None:
                one.take_from_wire(self._monotonic(), 0.0)

    def next_slot(self, domain: str, stream: Stream) -> datetime:
        """When a message that was not admitted should be due: 1 s to 15 minutes from now."""
        at = self._monotonic()
        with self._lock:
            one = self._domains.get(domain) or self._meet(domain, at)
            one.touched = at
            spacing = one.expected_seconds(at) / self._pace(domain, one, at)
            slot = one.slot(at, stream, spacing, self._chance())
        return self._wall_time(slot, at)

    # -- how much one may hold ----------------------------------------------------------------

    def _has_room(self, domain: str, one: Destination, at: float) -> bool:
        under_way = len(one.starts)
        if one.concurrency is not None and under_way >= one.concurrency:
            return False
        if self._is_slow(domain, one, at):
            if under_way >= self._for_one_slow or at < self._slow_rests_until:
                return False
            return sum(len(slow.starts) for slow in self._slow.values()) < self._for_slow
        if not one.is_known:
            return under_way < self._for_unknown
        if self._slow_from() == SLOW_SECONDS:
            return True
        # It is as slow as everybody else: nobody needs protection now, but somebody may come.
        return one.seconds <= SLOW_SECONDS or under_way < self._for_half

    def _is_slow(self, domain: str, one: Destination, at: float) -> bool:
        if not one.score and not one.starts:  # by far the most
            is_slow = False
        else:
            is_slow = one.seems_slow(at, self._slow_from(), self._enough_slow)
        if is_slow:
            self._slow[domain] = one
        elif self._slow:
            self._slow.pop(domain, None)
        return is_slow

    def _pace(self, domain: str, one: Destination, at: float) -> float:
        """How many of the domain are served side by side, on average."""
        if self._is_slow(domain, one, at):
            share = self._for_slow / len(self._slow) * min(1.0, self._connections / _SHARE)
            pace: float = min(self._for_one_slow, share)
        else:
            pace = self._for_half if one.is_known else self._for_unknown
        return pace if one.concurrency is None else min(pace, one.concurrency)

    def _rest(self, seconds: float, at: float) -> None:
        """With few connections, one all the time would be more than the share of slow ones."""
        if self._connections < _SHARE and seconds > SLOW_SECONDS:
            self._slow_rests_until = at + seconds * (_SHARE / self._connections - 1)

    def _slow_from(self) -> float:
        """More seconds than this are slow: where the relay is slow for all, nobody is to blame."""
        return max(SLOW_SECONDS, _SLOW_FACTOR * self._everybody)

    def _learn_everybody(self, seconds: float) -> None:
        if not self._everybody:
            self._everybody = max(seconds, _QUICKEST)
        elif seconds > self._everybody:
            self._everybody = min(seconds, self._everybody * _EVERYBODY_STEP)
        elif self._everybody > _QUICKEST:
            self._everybody = max(seconds, self._everybody / _EVERYBODY_STEP, _QUICKEST)

    # -- what is told to others, and by them --------------------------------------------------

    def closed(self) -> dict[str, Closed]:
        """The domains that take nothing now, and why: none of theirs need be claimed."""
        at = self._monotonic()
        with self._lock:
            for domain, one in list(self._closed.items()):
                if at >= one.closed_until:
                    del self._closed[domain]
            return {
                domain: Closed(
                    self._wall_time(one.closed_until, at), 0, _ASKED.format(domain) + one.words
                )
                for domain, one in self._closed.items()
            }

    def notes(self) -> dict[str, Closed]:
        """What the table should say: the closed domains, and those that are slow."""
        at = self._monotonic()
        noted = self.closed()
        with self._lock:
            for domain, one in list(self._slow.items()):
                if one.is_idle and one.touched < at - _QUIET:
                    self._drop(domain)
                elif domain not in noted and self._is_slow(domain, one, at):
                    until = self._wall_time(max(one.latest_slot(), at + 60), at)
                    words = _slow_words(domain, one.expected_seconds(at))
                    noted[domain] = Closed(until, self._for_one_slow, words)
        return noted

    def learn(self, found: Mapping[str, Closed]) -> None:
        """What other processes wrote: closed here, too; slow unless it is known better here."""
        at, wall = self._monotonic(), self._clock.wall()
        with self._lock:
            for domain, closed in found.items():
                ahead = min((closed.until - wall).total_seconds(), LONGEST_PAUSE)
                if ahead > 0:
                    one = self._domains.get(domain) or self._meet(domain, at)
                    self._learn_one(domain, one, closed, at, ahead)

    def _learn_one(
        self, domain: str, one: Destination, closed: Closed, at: float, ahead: float
    ) -> None:
        if closed.concurrency and not one.is_known:
            slow_from = self._slow_from()
            one.learn_seconds(at, 2 * slow_from, slow_from, self._enough_slow)
            self._is_slow(domain, one, at)
        elif not closed.concurrency and one.closed_until < at + ahead - 1:
            one.close(at + ahead, closed.words.removeprefix(_ASKED.format(domain)))
            self._closed[domain] = one

    # -- memory -------------------------------------------------------------------------------

    def _meet(self, domain: str, at: float) -> Destination:
        if len(self._domains) >= MOST_KEPT:
            self._forget(at)
        one = self._domains[domain] = Destination(at)
        return one

    def _forget(self, at: float) -> None:
        """Drop what was not asked for in a long time, and in any case the idlest quarter."""
        idle = sorted(
            (max(one.touched, one.closed_until), domain)
            for domain, one in self._domains.items()
            if one.is_idle
        )
        at_least = len(self._domains) - MOST_KEPT * 3 // 4
        for count, (touched, domain) in enumerate(idle):
            if count >= at_least and touched > at - _FORGOTTEN_AFTER:
                break
            self._drop(domain)

    def _drop(self, domain: str) -> None:
        for known in (self._domains, self._slow, self._closed):
            known.pop(domain, None)

    def _wall_time(self, monotonic: float, at: float) -> datetime:
        return self._clock.wall() + timedelta(seconds=monotonic - at)


def _slow_words(domain: str, seconds: float) -> str:
    return (
        f"{domain} answers slowly ({seconds:.1f} s), so only a few messages go there at a time "
        "and the mail to others is not held up."
    )
