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
from tests.chaos.supply import Supply

FIRST_PART = 0.8
"""Of the messages: while the last ones leave nobody is killed."""

_LEAD = 2.5
"""Shares that are in the outbox when a kill is due in its own: mail leaves until it has come."""

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
        self,
        plan: Plan,
        crew: Crew,
        site: Site | None,
        supply: Supply,
        sink: CountingSink,
        scope: Scope,
    ) -> None:
        self._plan, self._crew, self._site, self._supply = plan, crew, site, supply
        self._sink, self._scope = sink, scope
        self._share = int(FIRST_PART * plan.messages / max(1, sum(plan.kills.values())))
        self.kills: list[Kill] = []
        self.outages: list[Outage] = []

    def run(self) -> None:
        """Each kill has its share of the messages, at a moment of chance in it."""
        deck = self._plan.deck()
        for number, (victim, aim) in enumerate(deck):
            self._supply.reach(int((number + _LEAD) * self._share))
            goal = int((number + random.random()) * self._share)
            self._wait_for(partial(self._has_come_to, goal))
            if self._plan.server is not None and number == len(deck) // 2:
                self._stop_and_start(self._plan.server)
            self.kills.append(self._kill(victim, aim))
        self._supply.reach(self._plan.messages)

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
            self._wait_for(lambda: bool(self._crew.workers()))
            if aim is not Aim.CHANCE:
                self._wait_for(self._is_sending)
            is_over = self._has_come_to(self._plan.messages - 1)
            by_chance = aim is Aim.CHANCE or is_over
            there = self._crew.workers() if by_chance else self._crew.busy()
            if not there:
                continue
            moment = Aim.CHANCE if by_chance else aim
            look = self._scope.hit(random.choice(there), moment, self._crew.kill_worker)
            if look is not None:
                return Kill(Victim.WORKER, aim, look.held > 0, look=look)

    def _kill_supervisor(self, aim: Aim) -> Kill:
        self._wait_for(self._is_sending)
        kill = Kill(Victim.SUPERVISOR, aim, self._is_sending())
        self._crew.kill_supervisor()
        return kill

    def _kill_web(self, site: Site, victim: Victim, aim: Aim) -> Kill:
        def is_at_work() -> bool:
            # In this order: where all mail is gone, more has to be put in, or nobody asks again.
            return self._is_sending() and (site.client.is_asking or site.client.is_done)

        while True:
            self._wait_for(is_at_work)
            is_sending, is_asked, workers = (
                self._is_sending(),
                site.client.is_asking,
                site.web.workers(),
            )
            look: Look | None = Look()
            if victim is Victim.WEB_MASTER:
                site.web.kill_master()
            elif workers:
                look = self._scope.hit_web(
                    random.choice(workers), aim, site.client.under_way, site.web.kill_worker
                )
            else:
                look = None
            if look is not None:
                return Kill(victim, aim, is_sending, is_asked, look)

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
        """Whether workers hold mail; where all is gone, more is put in for the next look."""
        if self._crew.busy():
            return True
        if self._has_come_to(self._supply.given - 1):
            self._supply.reach(self._supply.given + self._share // 2)
        return self._has_come_to(self._plan.messages - 1)
