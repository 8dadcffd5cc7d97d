"""One run: messages wait, workers send, and are killed while they do; then all is counted.

R-OUTBOX: kill any process at any moment, and nothing is lost; what may go out twice is at most
one message a connection, with the same Message-ID. A server of the database that dies costs no
more than if every worker had been killed with it.
"""

import contextlib
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypedDict

from sqlmodel import col, select

from kartramail.db import Database
from kartramail.ids import show_id
from kartramail.outbox.models import Message, MessageState
from tests.benchmarks.letters import LARGE
from tests.benchmarks.processes import NotDone, wait_until
from tests.benchmarks.rows import fill, make_account
from tests.benchmarks.surroundings import environment
from tests.benchmarks.workers import wait_until_finished
from tests.chaos.counting_sink import Arrival, CountingSink, counting_sink
from tests.chaos.crew import Crew, Undertaker, working
from tests.chaos.databases import PostgreSql

LEASE = 1
CONNECTIONS = 8
STUCK_AFTER = 15.0
"""Seconds after which a message that a dead worker holds is stuck: the lease, and plenty for a
machine that has other things to do."""

_PAUSE = 0.002
_FIRST_PART = 0.8  # of the messages: while the last ones leave nobody is killed
_DOWN_FOR = 2.0  # seconds of an outage: longer than the lease


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do; `server` is stopped and started again in the middle."""

    messages: int
    kills: int
    workers: int = 2
    lease: float = LEASE
    pause: float = _PAUSE
    server: PostgreSql | None = None
    patience: float = 120.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of it, as counted from outside: the server's log and the rows."""

    plan: Plan
    states: Counter[MessageState]
    lost: int
    strangers: int
    arrivals: Sequence[Arrival]
    kills_while_sending: int
    longest_held: float
    fallen: Sequence[int]
    endings: Sequence[int]
    seconds: float

    @property
    def copies(self) -> int:
        """How many arrived more often than once."""
        return len(self.arrivals) - len({arrival.id for arrival in self.arrivals})

    @property
    def most_copies(self) -> int:
        """One for each connection that was cut off between the final dot and a commit."""
        outages = self.plan.workers if self.plan.server else 0
        return (self.plan.kills + outages) * CONNECTIONS

    @property
    def stuck(self) -> int:
        """Messages that still wait, or that a worker holds, when nothing moves any more."""
        moving = (MessageState.QUEUED, MessageState.DEFERRED, MessageState.SENDING)
        return sum(self.states[state] for state in moving)

    def broken_promises(self) -> list[str]:
        """What did not hold, in words; empty where all did."""
        one_id = len({(arrival.id, arrival.message_id) for arrival in self.arrivals})
        promises = {
            f"{self.lost} messages are lost": self.lost,
            f"{self.stuck} messages are stuck": self.stuck,
            f"not all were sent: {dict(self.states)}": self.states[MessageState.SENT]
            != self.plan.messages,
            f"{self.strangers} arrived that nobody wrote": self.strangers,
            f"a dead worker held messages for {self.longest_held:.1f} s": self.longest_held
            > STUCK_AFTER,
            f"{self.copies} copies, {self.most_copies} at most": self.copies > self.most_copies,
            "a copy has another Message-ID": one_id != len({a.id for a in self.arrivals}),
            f"workers ended by themselves: {self.fallen}": self.fallen,
            f"workers did not end in good order: {self.endings}": any(self.endings),
        }
        return [words for words, is_broken in promises.items() if is_broken]


class Counted(TypedDict):
    """What the log and the rows say."""

    states: Counter[MessageState]
    arrivals: Sequence[Arrival]
    lost: int
    strangers: int


def run_chaos(url: str, plan: Plan) -> Outcome:
    """Carry out the plan on a migrated, empty database. Raises NotDone where nothing moves."""
    started = time.perf_counter()
    db = Database(url)
    with tempfile.TemporaryDirectory(prefix="kartramail-chaos-run-") as name:
        folder = Path(name)
        account_id = make_account(db)
        with (
            counting_sink(folder / "arrived", plan.pause) as sink,
            working(db, _environment(url, plan, sink), plan.workers, folder / "said") as crew,
            Undertaker(url, crew) as undertaker,
        ):
            wait_until(lambda: crew.is_complete, patience=plan.patience)
            fill(db, account_id, LARGE, plan.messages)
            while_sending = _kill_and_crash(crew, sink, plan)
            _wait_for_the_rest(db, crew, plan.patience)
            wait_until(lambda: _is_complete(crew), patience=plan.patience)  # the last ones, too
            endings = crew.stop()
            counted = _count(db, plan, sink)
            outcome = Outcome(
                plan=plan,
                kills_while_sending=while_sending,
                longest_held=undertaker.longest,
                fallen=crew.fallen,
                endings=endings,
                seconds=time.perf_counter() - started,
                **counted,
            )
    db.dispose()
    return outcome


def _environment(url: str, plan: Plan, sink: CountingSink) -> dict[str, str]:
    return environment(
        url,
        mail_transport="relay",
        mail_server="127.0.0.1",
        mail_port=sink.port,
        sending_limits=0,
        worker_connections=CONNECTIONS,
        worker_lease=plan.lease,
    )


def _kill_and_crash(crew: Crew, sink: CountingSink, plan: Plan) -> int:
    """Each kill has its share of the messages, at a moment of chance in it.

    Returns how many hit a worker that held messages.
    """
    share = _FIRST_PART * plan.messages / max(1, plan.kills)
    while_sending = 0
    for number in range(plan.kills):
        goal = int((number + random.random()) * share)
        _wait_for(partial(_has_come_to, sink, goal), plan.patience)
        if plan.server is not None and number == plan.kills // 2:
            _crash(plan.server, crew, plan.patience)
        crew.tend()
        # Each fourth is killed wherever it is, be it in the middle of its start.
        if number % 4 < 3:
            _wait_for(lambda: bool(crew.busy()) or sink.count() >= plan.messages, plan.patience)
        busy = crew.busy()
        victim = random.choice(busy) if busy and number % 4 < 3 else random.randrange(crew.size)
        while_sending += victim in busy
        crew.kill(victim)
    return while_sending


def _has_come_to(sink: CountingSink, goal: int) -> bool:
    return sink.count() > goal


def _is_complete(crew: Crew) -> bool:
    crew.tend()
    return crew.is_complete


def _crash(server: PostgreSql, crew: Crew, patience: float) -> None:
    """In the middle of sending."""
    _wait_for(lambda: bool(crew.busy()), patience)
    crew.excuse_the_starting()
    server.crash()
    time.sleep(_DOWN_FOR)
    server.start()


def _wait_for(is_so: Callable[[], bool], patience: float) -> None:
    wait_until(is_so, every=0.002, patience=patience)


def _wait_for_the_rest(db: Database, crew: Crew, patience: float) -> None:
    """What still waits after that is counted as stuck."""
    end = time.monotonic() + patience
    while time.monotonic() < end:
        crew.tend()
        with contextlib.suppress(NotDone):
            wait_until_finished(db, patience=1)
            return


def _count(db: Database, plan: Plan, sink: CountingSink) -> Counted:
    with db.reading() as session:
        rows = session.execute(select(col(Message.id), col(Message.state))).all()
    arrivals = sink.arrivals()
    arrived = {arrival.id for arrival in arrivals}
    sent = {show_id(row.id) for row in rows if row.state is MessageState.SENT}
    return {
        "states": Counter(row.state for row in rows),
        "arrivals": arrivals,
        "lost": plan.messages - len(rows) + len(sent - arrived),
        "strangers": len(arrived - {show_id(row.id) for row in rows}),
    }
