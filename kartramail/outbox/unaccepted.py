"""Tries that no server accepted, written down: few statements for however many there are.

Their rows are locked as they are read, and written as they were read: what another worker took over
is not among them (fencing), and whoever calls one back meanwhile waits, or has done so before.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, bindparam, case
from sqlmodel import Session, col, func, insert, select, update

from kartramail.db import StateType, UtcDateTime
from kartramail.ids import new_id
from kartramail.outbox.cancellation import end_called_back
from kartramail.outbox.fencing import is_held_by
from kartramail.outbox.models import (
    VARIABLES_AFTER_THE_END,
    Attempt,
    Event,
    EventKind,
    Message,
    MessageState,
)
from kartramail.outbox.outcomes import Failed, Result
from kartramail.rules.backoff import DELAY_NOTICES, wait_after
from kartramail.rules.replies import Deferred, Refused


@dataclass(frozen=True, slots=True)
class _Try:
    """The `n`th try of a message. It has ended with it where it is not due again."""

    row: Any  # id, stream, created_at, expires_at, tries before this one
    outcome: Deferred | Refused | Failed
    resolved_id: int | None
    state: MessageState
    due_at: datetime | None

    @property
    def id(self) -> int:
        return int(self.row.id)

    @property
    def n(self) -> int:
        return int(self.row.tries) + 1


def record_unaccepted(
    session: Session, worker_id: int, results: Sequence[Result], at: datetime
) -> int:
    """Write the results of these other than accepted ones; returns how many were written."""
    tries = _find_tries(session, worker_id, results, at)
    if not tries:
        return 0
    _write_rows(session, worker_id, tries)
    _log_attempts(session, tries, at)
    events = [*_failures(tries), *_given_up(session, tries, at), *_delays(session, tries, at)]
    _log_events(session, events, at)
    return len(tries)


# -- the rows -------------------------------------------------------------------------------------


_READ: list[Any] = [
    getattr(Message, name) for name in ("id", "stream", "created_at", "expires_at", "tries")
]


def _find_tries(
    session: Session, worker_id: int, results: Sequence[Result], at: datetime
) -> list[_Try]:
    reported: dict[int, Result] = {}
    for result in results:
        reported.setdefault(result.message_id, result)
    rows = session.connection().execute(
        select(*_READ)
        .where(col(Message.id).in_(list(reported)), is_held_by(worker_id))
        .order_by(col(Message.id))
        .with_for_update()
    )
    return [_judge(row, reported[row.id], at) for row in rows]


def _judge(row: Any, result: Result, at: datetime) -> _Try:
    due_at = None
    match result.outcome:
        case Deferred() as reply:
            due_at = at + wait_after(reply, row.tries + 1, random.random())  # noqa: S311 - spreads load
            state = MessageState.DEFERRED
            if row.expires_at <= due_at:
                due_at, state = None, MessageState.FAILED
        case Refused() as reply:
            state = MessageState.BOUNCED
        case Failed() as reply:
            state = MessageState.FAILED
        case _:
            raise TypeError("an accepted message is written elsewhere")
    return _Try(row, reply, result.resolved_id, state, due_at)


_WRITE = (
    update(Message)
    .where(
        col(Message.id) == bindparam("id_"),
        func.coalesce(col(Message.worker_id), 0) == bindparam("worker"),
    )
    .values(
        worker_id=None,
        state=bindparam("state_", type_=StateType(MessageState)),
        due_at=bindparam("due", type_=UtcDateTime),
        tries=bindparam("n"),
        attempts=col(Message.attempts) + bindparam("cost"),
        reply=bindparam("words"),
        server=bindparam("by"),
        resolved_id=func.coalesce(bindparam("sender"), col(Message.resolved_id)),
        variables=case(
            (bindparam("is_over", type_=Boolean), VARIABLES_AFTER_THE_END),
            else_=col(Message.variables),
        ),
    )
)


def _write_rows(session: Session, worker_id: int, tries: Sequence[_Try]) -> None:
    session.connection().execute(
        _WRITE,
        [
            {
                "id_": one.id,
                "worker": worker_id,
                "state_": one.state,
                "due": one.due_at,
                "n": one.n,
                "cost": int(not isinstance(one.outcome, Deferred) or one.outcome.costs_attempt),
                "words": _words(one.outcome),
                "by": None if isinstance(one.outcome, Failed) else one.outcome.server[:255],
                "sender": one.resolved_id,
                "is_over": one.due_at is None,
            }
            for one in tries
        ],
    )


def _words(outcome: Deferred | Refused | Failed) -> str:
    if isinstance(outcome, Failed):
        return outcome.words
    note = " (in doubt: it may have been taken)" if getattr(outcome, "in_doubt", False) else ""
    code = "" if outcome.code is None else f"{outcome.code} "
    return f"{code}{outcome.words}{note}"


# -- the account's log ----------------------------------------------------------------------------

_Told = tuple[int, EventKind, str]
"""A message, and what its log says of it."""


def _log_attempts(session: Session, tries: Sequence[_Try], at: datetime) -> None:
    rows = [
        {
            "message_id": one.id,
            "n": one.n,
            "stage": one.outcome.stage,
            "code": one.outcome.code,
            "reply": _words(one.outcome),
            "server": one.outcome.server[:255],
            "at": at,
        }
        for one in tries
        if not isinstance(one.outcome, Failed)
    ]
    if rows:
        session.connection().execute(insert(Attempt), rows)


def _log_events(session: Session, told: Sequence[_Told], at: datetime) -> None:
    rows = [
        {"id": new_id(), "message_id": one, "kind": kind, "at": at, "detail": {"words": words}}
        for one, kind, words in told
    ]
    if rows:
        session.connection().execute(insert(Event), rows)


def _failures(tries: Sequence[_Try]) -> list[_Told]:
    """No server ever saw these, so there is no attempt that says when."""
    return [
        (one.id, EventKind.FAILED, one.outcome.words)
        for one in tries
        if isinstance(one.outcome, Failed)
    ]


def _given_up(session: Session, tries: Sequence[_Try], at: datetime) -> list[_Told]:
    """What was put off past its time; what was called back has ended otherwise."""
    over = {
        one.id: one for one in tries if isinstance(one.outcome, Deferred) and one.due_at is None
    }
    left = over.keys() - set(end_called_back(session, sorted(over)))
    first = _first_tries(session, left)
    return [
        (one, EventKind.FAILED, _words_at_the_end(over[one].n, at - first[one]))
        for one in sorted(left)
    ]


def _words_at_the_end(tries: int, time: timedelta) -> str:
    if tries == 1:
        return "Given up after one try: its time was over."
    return f"Given up: it was tried {tries} times within {_long(time)}."


def _delays(session: Session, tries: Sequence[_Try], at: datetime) -> list[_Told]:
    """Say once, to the account's log, that it is late (RFC 3464 §2.3.3 calls it "delayed")."""
    old = {
        one.id: one
        for one in tries
        if one.due_at is not None and at - one.row.created_at >= DELAY_NOTICES[one.row.stream]
    }
    first = _first_tries(session, old)
    late = {one for one in old if at - first[one] >= DELAY_NOTICES[old[one].row.stream]}
    told = []
    for one in sorted(late - _told_before(session, late)):
        more = _long(max(old[one].row.expires_at - at, timedelta(0)))
        words = f"It has waited for {_long(at - first[one])} and is tried for {more} more."
        told.append((one, EventKind.DELAYED, words))
    return told


def _first_tries(session: Session, message_ids: Collection[int]) -> Mapping[int, datetime]:
    """When a server first spoke of each: a reminder may have been accepted weeks before."""
    if not message_ids:
        return {}
    rows = session.connection().execute(
        select(Attempt.message_id, func.min(Attempt.at))
        .where(col(Attempt.message_id).in_(message_ids))
        .group_by(col(Attempt.message_id))
    )
    return {row[0]: row[1] for row in rows}


def _told_before(session: Session, message_ids: Collection[int]) -> set[int]:
    if not message_ids:
        return set()
    told = select(Event.message_id).where(
        col(Event.message_id).in_(message_ids), Event.kind == EventKind.DELAYED
    )
    return set(session.exec(told))


def _long(time: timedelta) -> str:
    """A length of time in words, roughly: "50 minutes", "5 hours", "2 days"."""
    for unit, seconds, most in (("minute", 60, 90), ("hour", 3_600, 36), ("day", 86_400, 10**9)):
        count = max(1, round(time.total_seconds() / seconds))
        if count <= most:
            return f"1 {unit}" if count == 1 else f"{count} {unit}s"
    raise AssertionError("no time is that long")
