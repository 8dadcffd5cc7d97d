"""Forty kills, spread over the time in which mail leaves, each at its moment."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial

from tests.benchmarks.processes import wait_until
from tests.chaos.aim import Look, Scope
from tests.chaos.counting_sink import CountingSink
from tests.chaos.crew import Crew
from tests.chaos.databases import PostgreSql
from tests.chaos.plan import Aim, Plan, Victim
from tests.chaos.site import Site

FIRST_PART = 0.8
"""Of the messages: while the last ones leave nobody is killed."""

_DOWN_FOR = 2.0  # seconds of an outage
_LOOK_EVERY = 0.005


@dataclass(frozen=True, slots=True)
class Kill:
    """Who was killed, and at what: whether mail was leaving, a request under way."""

    victim: Victim
    aim: Aim
    is_sending: bool
    is_asked: bool = False
    look: Look = field(default_factory=Look)


@dataclass(frozen=True, slots=True)
class Outage:
    """From when to when the database was away."""

    began_at: datetime
    ended_at: datetime


class Killer:
    """Carries out the deck of a plan."""

    def __init__(
        self, plan: Plan, crew: Crew, site: Site | None, sink: CountingSink, scope: Scope
    ) -> None:
        self._plan, self._crew, self._site = plan, crew, site
        self._sink, self._scope = sink, scope
        self.kills: list[Kill] = []
        self.outages: list[Outage] = []

    def run(self) -> None:
        """Each kill has its share of the messages, at a moment of chance in it."""
        deck = self._plan.deck()
        share = FIRST_PART * self._plan.messages / max(1, len(deck))
        for number, (victim, aim) in enumerate(deck):
            goal = int((number + random.random()) * share)
            self._wait_for(partial(self._has_come_to, goal))
            if self._plan.server is not None and number == len(deck) // 2:
                self._stop_and_start(self._plan.server)
            self.kills.append(self._kill(victim, aim))

    def _kill(self, victim: Victim, aim: Aim) -> Kill:
        if victim is Victim.WORKER:
            return self._kill_worker(aim)
        if victim is Victim.SUPERVISOR:
            return self._kill_supervisor(aim)
        if self._site is None:
            raise ValueError("There is no web to kill: nothing comes by it.")
        return self._kill_web(self._site, victim, aim)

    def _kill_worker(self, aim: Aim) -> Kill:
        while True:
            if aim is Aim.CHANCE:
                self._wait_for(lambda: bool(self._crew.workers()))
            else:
                self._wait_for(self._is_sending)
            busy = self._crew.busy()
            there = self._crew.workers() if aim is Aim.CHANCE or not busy else busy
            if not there:
                continue
            victim = random.choice(there)
            look = self._scope.hit(victim, aim, self._crew.kill_worker)
            if look is not None:
                is_sending = victim in busy or look.in_doubt > 0
                return Kill(Victim.WORKER, aim, is_sending, look=look)

    def _kill_supervisor(self, aim: Aim) -> Kill:
        self._wait_for(self._is_sending)
        kill = Kill(Victim.SUPERVISOR, aim, self._is_sending())
        self._crew.kill_supervisor()
        return kill

    def _kill_web(self, site: Site, victim: Victim, aim: Aim) -> Kill:
        def is_at_work() -> bool:
            return (site.client.is_asking or site.client.is_done) and self._is_sending()

        workers: list[int] = []
        while not workers:
            self._wait_for(is_at_work)
            workers = site.web.workers()
        kill = Kill(victim, aim, self._is_sending(), site.client.is_asking)
        if victim is Victim.WEB_MASTER:
            site.web.kill_master()
        else:
            site.web.kill_worker(random.choice(workers))
        return kill

    def _stop_and_start(self, server: PostgreSql) -> None:
        """In the middle of sending."""
        self._wait_for(self._is_sending)
        began_at = datetime.now(UTC)
        server.crash()
        time.sleep(_DOWN_FOR)
        server.start()
        self.outages.append(Outage(began_at, datetime.now(UTC)))

    def _wait_for(self, is_so: Callable[[], bool]) -> None:
        def is_so_now() -> bool:
            self._crew.tend()
            if self._site is not None:
                self._site.web.tend()
            return is_so()

        wait_until(is_so_now, every=_LOOK_EVERY, patience=self._plan.patience)

    def _has_come_to(self, goal: int) -> bool:
        return self._sink.arrivals.count() > goal

    def _is_sending(self) -> bool:
        return bool(self._crew.busy()) or self._has_come_to(self._plan.messages - 1)
