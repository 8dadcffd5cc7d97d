"""One stalled domain, sixteen connections and a clock of our own: what the others keep (R-FAIR)."""

import heapq
import itertools
import random
from collections import Counter, deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from kartramail.delivery.destinations import Clock, Destinations
from kartramail.rules.replies import Accepted
from kartramail.rules.streams import Stream

CONNECTIONS = 16
QUICK, STALLED = 0.005, 5.0
OK = Accepted(250, "2.0.0 Ok", "127.0.0.1:25")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)

Seconds = Callable[[str, float], float]


class Simulation:
    """A queue of rows in random order of domains, and connections that take `seconds` for each."""

    def __init__(
        self,
        seconds: Seconds,
        domains: list[str],
        rows: int,
        *,
        connections: int = CONNECTIONS,
        is_fair: bool = True,
        seed: int = 1,
    ) -> None:
        self.at = 0.0
        chance = random.Random(seed)
        self.destinations = Destinations(
            connections,
            Clock(lambda: self.at, lambda: BEGIN + timedelta(seconds=self.at)),
            chance.random,
        )
        self.due = deque(chance.choices(domains, k=rows))
        self.later: list[tuple[float, int, str]] = []
        self.under_way: list[tuple[float, int, str, float]] = []
        self.free = connections
        self.seconds, self.is_fair = seconds, is_fair
        self.sent: Counter[str] = Counter()
        self.sent_late: Counter[str] = Counter()
        self.late_from = 0.0
        self.postponed = 0
        self._order = itertools.count()

    def run(self, until: float) -> None:
        """Go on until that second."""
        while True:
            while self.later and self.later[0][0] <= self.at:
                self.due.append(heapq.heappop(self.later)[2])
            while self.free and self.due:
                self._start(self.due.popleft())
            times = [entries[0][0] for entries in (self.under_way, self.later) if entries]
            if not times or min(times) > until:
                self.at = until
                return
            self.at = max(self.at, min(times))
            while self.under_way and self.under_way[0][0] <= self.at:
                self._finish(*heapq.heappop(self.under_way)[2:])

    def _start(self, domain: str) -> None:
        if self.is_fair and not self.destinations.admit(domain):
            self.postponed += 1
            slot = (self.destinations.next_slot(domain, Stream.COMMERCIAL) - BEGIN).total_seconds()
            assert 0.999 <= slot - self.at <= 15 * 60 + 0.001
            heapq.heappush(self.later, (slot, next(self._order), domain))
            return
        self.free -= 1
        took = self.seconds(domain, self.at)
        heapq.heappush(self.under_way, (self.at + took, next(self._order), domain, took))

    def _finish(self, domain: str, took: float) -> None:
        self.free += 1
        self.sent[domain] += 1
        self.sent_late[domain] += self.at >= self.late_from
        if self.is_fair:
            self.destinations.settle(domain, took, OK)


DOMAINS = [f"quick{n}.net" for n in range(9)] + ["stalled.net"]


def test_the_others_keep_their_rate_while_one_domain_in_ten_stalls() -> None:
    """Also counted from the first second, when nobody knows yet who is slow."""
    even = Simulation(lambda domain, at: QUICK, DOMAINS, 400_000)
    even.run(30)
    uneven = Simulation(
        lambda domain, at: STALLED if domain == "stalled.net" else QUICK, DOMAINS, 400_000
    )
    uneven.run(30)
    unfair = Simulation(uneven.seconds, DOMAINS, 400_000, is_fair=False)
    unfair.run(30)
    assert _others(uneven) >= 0.9 * _others(even)
    assert _others(unfair) < 0.1 * _others(even)
    assert uneven.sent["stalled.net"] >= 9  # it is served, too


@pytest.mark.parametrize("connections", [1, 2, 3, 4, 8])
def test_so_they_do_with_few_connections_once_it_is_known(connections: int) -> None:
    def run(stalled: float) -> Simulation:
        one = Simulation(
            lambda domain, at: stalled if domain == "stalled.net" else QUICK,
            DOMAINS,
            20_000 * connections,
            connections=connections,
        )
        one.late_from = 15.0
        one.run(60)
        return one

    kept, whole = (
        sum(n for domain, n in run(stalled).sent_late.items() if domain.startswith("quick"))
        for stalled in (STALLED, QUICK)
    )
    assert kept >= 0.9 * whole


def test_ten_stalled_domains_share_what_one_would_have() -> None:
    domains = [f"quick{n}.net" for n in range(90)] + [f"stalled{n}.net" for n in range(10)]

    def seconds(domain: str, at: float) -> float:
        return STALLED if domain.startswith("stalled") else QUICK

    even = Simulation(lambda domain, at: QUICK, domains, 800_000)
    uneven = Simulation(seconds, domains, 800_000)
    for one in (even, uneven):
        one.late_from = 10.0  # by then each has answered once
        one.run(40)
    others = {domain for domain in domains if domain.startswith("quick")}
    kept = sum(uneven.sent_late[domain] for domain in others)
    assert kept >= 0.9 * sum(even.sent_late[domain] for domain in others)
    slow = [uneven.sent[domain] for domain in domains if domain not in others]
    assert all(slow), slow


def test_a_domain_that_stalls_all_of_a_sudden_is_found_out_once_and_for_all() -> None:
    def seconds(domain: str, at: float) -> float:
        return STALLED if domain == "stalled.net" and at >= 10 else QUICK

    one = Simulation(seconds, DOMAINS, 300_000)
    one.run(20)  # what hangs when it begins holds everybody up, one time
    before = _others(one)
    one.run(30)
    even = Simulation(lambda domain, at: QUICK, DOMAINS, 300_000)
    even.run(10)
    assert _others(one) - before >= 0.9 * _others(even)


def test_a_domain_that_is_quick_again_gets_its_rate_back() -> None:
    def seconds(domain: str, at: float) -> float:
        return STALLED if domain == "stalled.net" and at < 30 else QUICK

    one = Simulation(seconds, DOMAINS, 2_000_000)
    one.run(30)
    stalled = one.sent["stalled.net"]
    one.run(60)
    before = one.sent["stalled.net"]
    one.run(70)
    assert stalled < 30
    assert one.sent["stalled.net"] - before >= 0.9 * 10 / QUICK * CONNECTIONS / 10


def test_a_big_domain_that_is_slow_by_chance_is_not_held_back() -> None:
    """Half of all mail, and one answer in 200 takes 2 seconds: as if nobody limited it."""
    domains = ["gmail.com"] * 10 + [f"quick{n}.net" for n in range(10)]

    def run(is_fair: bool) -> Simulation:
        chance = random.Random(7)

        def seconds(domain: str, at: float) -> float:
            return 2.0 if domain == "gmail.com" and chance.random() < 0.005 else QUICK

        one = Simulation(seconds, domains, 100_000, is_fair=is_fair)
        one.run(60)
        return one

    fair, unfair = run(is_fair=True), run(is_fair=False)
    assert fair.sent["gmail.com"] > 0.95 * unfair.sent["gmail.com"]
    assert fair.postponed < 0.001 * fair.sent["gmail.com"]


def test_a_hundred_thousand_rows_of_a_stalled_domain_come_back_seldom() -> None:
    """Two hundred looks a second at most, and no place of the domain stays empty."""

    def seconds(domain: str, at: float) -> float:
        return STALLED if domain == "stalled.net" else QUICK

    one = Simulation(seconds, ["quick.net"], 1_000)
    one.due.extend(["stalled.net"] * 100_000)
    for second in range(1_860):  # others go on to be quick
        heapq.heappush(one.later, (float(second), -second, "quick.net"))
    one.run(60)
    first = one.postponed
    one.run(60 + 1_800)
    assert first < 100_000 + 60 * 220
    assert (one.postponed - first) / 1_800 < 210
    assert one.sent["stalled.net"] >= 0.8 * 1_860 / STALLED


def test_a_relay_that_is_slow_for_all_is_used_by_all() -> None:
    one = Simulation(lambda domain, at: 2.0, DOMAINS, 10_000)
    one.run(300)
    assert sum(one.sent.values()) >= 0.8 * 300 / 2 * CONNECTIONS


def _others(simulation: Simulation) -> int:
    return sum(n for domain, n in simulation.sent.items() if domain.startswith("quick"))
