"""(h) The rate with a thousand, a hundred thousand and a million rows waiting, and the memory.

So many rows and more wait all the time: a queue begins with its depth and what a round sends, and
what a round has sent is queued anew after it. The rows are there before the workers start; the
first of what they send is left out, so that their start is not counted, and the rate is that of the
next messages, by the moments at which they became `sent`. Afterwards one longer run on the deepest
queue watches the memory of the worker processes, from their start.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial

from sqlmodel import col, select

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox.models import Message, MessageState
from tests.benchmarks.figures import Bound, interleave, show_figure, show_heading, show_ratio
from tests.benchmarks.letters import LARGE
from tests.benchmarks.processes import wait_until
from tests.benchmarks.rows import analyse, fill, make_account
from tests.benchmarks.sinks import Sink, postfix_sink
from tests.benchmarks.surroundings import DATABASES
from tests.benchmarks.workers import Memory, watched_memory, worker_pids, working

FEW, MANY, VERY_MANY = 1_000, 100_000, 1_000_000
MOST_MEMORY, MOST_GROWTH = 200.0, 1.05  # MB; the last third of the run over the second
_MEMORY_FACTOR = 4  # how much longer than a round the run is that watches the memory
_LEFT_OUT = 1_000  # the first messages, in which workers start and connect
_LOOK_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class _Queue:
    """A database in which so many rows wait."""

    url: str
    db: Database
    account_id: int


def run(rounds: int, *, is_quick: bool) -> bool:
    """Measure and print; returns whether both databases meet the targets."""
    count = 2_000 if is_quick else 10_000
    depths = (FEW, 10_000, 50_000) if is_quick else (FEW, MANY, VERY_MANY)
    verdicts = []
    with ExitStack() as stack:
        sink = stack.enter_context(postfix_sink())
        if sink is None:
            print("\n(h) Not measured: it needs smtp-sink, of Debian's package postfix.")
            return False
        for kind, make in DATABASES.items():
            with ExitStack() as queues:
                found = {depth: _queue(queues, make, depth + _LEFT_OUT + count) for depth in depths}
                verdicts.append(_compare(kind, found, sink, rounds, count))
    return all(verdicts)


def _queue(stack: ExitStack, make: Callable[[], AbstractContextManager[str]], rows: int) -> _Queue:
    url = stack.enter_context(make())
    db = Database(url)
    stack.callback(db.dispose)
    account_id = make_account(db)
    fill(db, account_id, LARGE, rows)
    analyse(db)
    return _Queue(url, db, account_id)


def _compare(kind: str, queues: dict[int, _Queue], sink: Sink, rounds: int, count: int) -> bool:
    subjects: dict[str, Callable[[], float]] = {
        f"{depth:,} waiting": partial(_rate, queue, sink, count) for depth, queue in queues.items()
    }
    rates = interleave(rounds, subjects)
    deepest = queues[max(queues)]
    memories: list[Memory] = []
    _send(deepest, sink, count * _MEMORY_FACTOR, memories)
    show_heading(
        f"(h) The next {count:,} messages of 10 kB with so many rows waiting, on {kind}, {rounds} "
        "rounds"
    )
    for name, values in rates.items():
        show_figure(name, values, "messages/s")
    names = list(rates)
    few, many = rates[names[0]], rates[names[-1]]
    is_met = show_ratio(f"{names[-1]} / {names[0]}", many, few, Bound.AT_LEAST, 0.9)
    return _show_memory(memories) and is_met


def _rate(queue: _Queue, sink: Sink, count: int) -> float:
    """Messages a second over the next `count`; as many are queued anew afterwards."""
    sent_at = _send(queue, sink, _LEFT_OUT + count)
    fill(queue.db, queue.account_id, LARGE, len(sent_at))
    counted = sent_at[_LEFT_OUT : _LEFT_OUT + count]
    return (len(counted) - 1) / (counted[-1] - counted[0])


def _send(
    queue: _Queue, sink: Sink, count: int, memories: list[Memory] | None = None
) -> list[float]:
    """Let workers send until about `count` are sent: when each was, in seconds of the clock."""
    db = queue.db
    target = _waiting_at(db, count - 1)
    started_at = now()
    with (
        working(queue.url, sink, db),
        watched_memory(worker_pids(db) if memories is not None else ()) as watched,
    ):
        wait_until(lambda: _is_sent(db, target), every=_LOOK_EVERY)
    if memories is not None:
        memories += watched
    sent_at = select(col(Message.sent_at)).where(col(Message.sent_at) >= started_at)
    with db.reading() as session:
        return sorted(at.timestamp() for at in session.scalars(sent_at) if at)


def _waiting_at(db: Database, place: int) -> int:
    """The number of the message at this place of what waits."""
    waiting = select(col(Message.id)).where(col(Message.due_at).is_not(None))
    with db.reading() as session:
        found = session.scalars(
            waiting.order_by(col(Message.due_at), col(Message.id)).offset(place).limit(1)
        ).one()
    return int(found)


def _is_sent(db: Database, message_id: int) -> bool:
    state = select(col(Message.state)).where(col(Message.id) == message_id)
    with db.reading() as session:
        return session.scalars(state).one() is MessageState.SENT


def _show_memory(memories: list[Memory]) -> bool:
    for number, memory in enumerate(memories, 1):
        print(
            f"  Memory of worker process {number}: {memory.start:.0f} MB at the start, "
            f"{memory.end:.0f} at the end, {memory.peak:.0f} at most (target below "
            f"{MOST_MEMORY:g}); last third / second third {memory.growth:.2f} (at most "
            f"{MOST_GROWTH})"
        )
    is_met = all(m.peak < MOST_MEMORY and m.growth <= MOST_GROWTH for m in memories)
    print(f"  {'Memory below 200 MB and flat':<44} {'':>32}  {'met' if is_met else 'MISSED'}")
    return is_met
