"""Workers: who lives, by their heartbeat, and what becomes of what a dead one held.

A hold is kept by a heartbeat whose age is told by the database's clock: machines whose clocks
differ must not bury each other's workers. One of the few files that cross accounts.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BindParameter, bindparam, case, literal, or_, text
from sqlmodel import Session, col, delete, func, insert, select, update

from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.outbox.cancellation import end_called_back
from kartramail.outbox.fencing import is_held_by
from kartramail.outbox.models import (
    VARIABLES_AFTER_THE_END,
    Event,
    EventKind,
    Message,
    MessageState,
    Worker,
)
from kartramail.outbox.releases import event_row, release
from kartramail.rules.backoff import next_wait

# A message that was held by so many dead workers may be what kills them: from then on it waits. One
# that twelve have died with is given up, some three hours after the sixth.
_DEATHS_FORGIVEN = 5
_MOST_DEATHS = 12

# Rows that came back from dead workers more than once are due a few at a time.
_TOGETHER = 4
_APART = timedelta(milliseconds=20)


# What is held between the numbers of those who live: of what they hold nothing is read, and on
# PostgreSQL nothing of what they held and an old transaction may still see. One SELECT sees one
# moment: a row that a worker holds there, and the worker, or neither.
_GAPS = """(
        SELECT id AS after, lead(id) OVER (ORDER BY id) AS before
        FROM (
            SELECT -1 AS id UNION ALL SELECT 9223372036854775807
            UNION ALL SELECT id FROM worker WHERE id NOT IN :dead_ids
        ) AS living
    ) AS gap"""
_DEAD_IDS: BindParameter[Any] = bindparam("dead_ids", expanding=True)
# Both are made to go from the gaps to the messages, never the other way.
_HELD_BY_NOBODY = {
    "sqlite": text(f"""
    SELECT message.id, message.worker_id, message.deaths
    FROM {_GAPS} CROSS JOIN message
    WHERE message.worker_id > gap.after AND message.worker_id < gap.before
""").bindparams(_DEAD_IDS),
    "postgresql": text(f"""
    SELECT held.id, held.worker_id, held.deaths
    FROM {_GAPS} CROSS JOIN LATERAL (
        SELECT id, worker_id, deaths FROM message
        WHERE worker_id > gap.after AND worker_id < gap.before
        OFFSET 0
    ) AS held
""").bindparams(_DEAD_IDS),
}


def database_now(session: Session) -> datetime:
    """The moment by the clock that all workers of this database share.

    SQLite's is this machine's, as all of its workers are here.
    """
    if session.connection().dialect.name == "sqlite":
        return now()
    moment: datetime = session.connection().scalar(select(func.clock_timestamp()))
    return moment


def register_worker(session: Session, host: str, pid: int) -> int:
    """A new worker; returns its number. A process that was declared dead registers anew."""
    at = database_now(session)
    worker = Worker(id=new_id(), host=host[:255], pid=pid, started_at=at, heartbeat_at=at)
    session.add(worker)
    session.flush()
    return worker.id


def beat(session: Session, worker_id: int, held: int = 0) -> bool:
    """Say that the worker lives, and how many messages it holds.

    False when others have declared it dead and took its rows.
    """
    result = session.connection().execute(
        update(Worker)
        .where(col(Worker.id) == worker_id)
        .values(heartbeat_at=database_now(session), held=held)
    )
    return result.rowcount == 1


def sign_off(session: Session, worker_id: int) -> None:
    """The worker ends in good order: whatever it still holds was not on the wire."""
    release(session, worker_id)
    session.connection().execute(delete(Worker).where(col(Worker.id) == worker_id))


def reclaim(session: Session, lease: timedelta) -> int:
    """Make what dead workers held due again; returns how many rows.

    It costs each an attempt (R-RETRY): any of them may have been on the wire, and a message that
    kills its worker must not go round for ever. Rows under a number that is no worker's at all
    are taken as well: whoever held them is gone.
    """
    at = database_now(session)
    _pull_back(session, at, lease)
    silent_since = at - lease
    dead_ids = list(
        session.exec(
            select(Worker.id)
            .where(Worker.heartbeat_at < silent_since)
            # One that hangs in the middle of a claim must not stop the heart of all others.
            .with_for_update(skip_locked=True)
        )
    )
    connection = session.connection()
    held = connection.execute(_HELD_BY_NOBODY[connection.dialect.name], {"dead_ids": dead_ids})
    by_deaths: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for row in sorted(held, key=lambda row: row.id):  # by SQL, SQLite would walk all messages
        by_deaths[row.deaths + 1].append((row.id, row.worker_id))
    count = sum(
        _return_from_dead(session, rows, deaths) for deaths, rows in sorted(by_deaths.items())
    )
    if dead_ids:
        session.connection().execute(delete(Worker).where(col(Worker.id).in_(dead_ids)))
    return count


def _pull_back(session: Session, at: datetime, lease: timedelta) -> None:
    """Let no heartbeat lie in the future, as after a clock was set back: until then nobody would
    take its worker for dead. One that lives beats again within the lease.
    """
    ahead = (
        select(Worker.id)
        .where(col(Worker.heartbeat_at) > at + lease)
        .with_for_update(skip_locked=True)
    )
    session.connection().execute(
        update(Worker).where(col(Worker.id).in_(ahead)).values(heartbeat_at=at)
    )


def _return_from_dead(session: Session, rows: list[tuple[int, int]], deaths: int) -> int:
    """Make these rows, ids with the worker that held them, due again, or end them; how many.

    One that may be what kills workers comes back a moment after the last such one: so few of them
    are held together, and the innocent ones are soon known.
    """
    late = deaths - _DEATHS_FORGIVEN
    wait = next_wait(late, 0.5) if late > 0 else timedelta(0)
    step = _APART if deaths > 1 else timedelta(0)
    size = _TOGETHER if deaths > 1 else len(rows)
    count = 0
    for number, start in enumerate(range(0, len(rows), size)):
        group = rows[start : start + size]
        count += _return_group(session, group, deaths, now() + wait + number * step)
    return count


def _return_group(
    session: Session, rows: list[tuple[int, int]], deaths: int, due_at: datetime
) -> int:
    # As the row is now: it may have been called back since it was read.
    is_over = or_(literal(deaths >= _MOST_DEATHS), col(Message.expires_at) <= due_at)
    returned = session.connection().execute(
        update(Message)
        .where(
            col(Message.id).in_([number for number, _ in rows]),
            is_held_by(*sorted({worker for _, worker in rows})),
        )
        .values(
            worker_id=None,
            due_at=case((is_over, None), else_=due_at),
            deaths=deaths,
            attempts=col(Message.attempts) + 1,
            state=case((is_over, MessageState.FAILED.value), else_=MessageState.DEFERRED.value),
            reply=case((is_over, _given_up(deaths)), else_=col(Message.reply)),
            variables=case((is_over, VARIABLES_AFTER_THE_END), else_=col(Message.variables)),
        )
        .returning(col(Message.id), col(Message.state))
    )
    states = {row.id: row.state for row in returned}
    if states:
        words = "The process that held this message ended before it could report."
        events = [event_row(one, EventKind.RECLAIMED, words) for one in sorted(states)]
        session.connection().execute(insert(Event), events)
    end_called_back(session, [one for one in states if states[one] is MessageState.FAILED])
    return len(states)


def _given_up(deaths: int) -> str:
    if deaths >= _MOST_DEATHS:
        return f"Given up: {deaths} processes ended while they held this message."
    return "Given up: the process that held this message ended, and its time is over."
