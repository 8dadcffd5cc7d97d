"""What the world said of a message, written down. Results come from a worker, for its own rows.

Every statement here says `WHERE worker_id = me`: a late result of a worker that lost its rows is
not taken (fencing). A first try that is accepted needs no row of its own: the message has it all.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import case
from sqlmodel import Session, col, func, insert, select, update

from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.outbox.cancellation import end_called_back
from kartramail.outbox.models import (
    VARIABLES_AFTER_THE_END,
    Attempt,
    Event,
    EventKind,
    Message,
    MessageState,
)
from kartramail.rules.backoff import DELAY_NOTICES, wait_after
from kartramail.rules.replies import Accepted, Deferred, Refused, Reply, clean_words


@dataclass(frozen=True, slots=True)
class Failed:
    """The message could not be built: no server ever saw it.

    `words` may quote a stranger's values, so they are cleaned as a server's are.
    """

    words: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", clean_words(self.words))


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one try of one message; `resolved_id` is the sender that it went out under.

    Without one the sender stays the one that was named when the message was accepted.
    """

    message_id: int
    outcome: Reply | Failed
    resolved_id: int | None


_ENDED = {"worker_id": None, "due_at": None, "variables": VARIABLES_AFTER_THE_END}

# A batch is one statement, put to the driver as it is: nearly all results are these, and what
# SQLAlchemy does for each row of them would cost more than the row itself.
_ACCEPTED = """
    state = 'sent', tries = tries + 1, attempts = attempts + 1, worker_id = NULL, due_at = NULL,
    variables = CASE WHEN template IS NULL THEN variables END
"""
# The fence of PostgreSQL's is that of `fencing.is_held_by`, for its reason.
_ACCEPT_ON_SQLITE = f"""
    UPDATE message SET {_ACCEPTED}, reply = ?, server = ?, sent_at = ?,
        resolved_id = coalesce(?, resolved_id)
    WHERE id = ? AND worker_id = ?
"""
_ACCEPT_ON_POSTGRESQL = f"""
    UPDATE message SET {_ACCEPTED}, reply = result.reply, server = result.server, sent_at = %s,
        resolved_id = coalesce(result.resolved_id, message.resolved_id)
    FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[])
        AS result (id, reply, server, resolved_id)
    WHERE message.id = result.id AND coalesce(message.worker_id, 0) = %s
"""


def record_results(session: Session, worker_id: int, results: Sequence[Result]) -> int:
    """Write these in the caller's transaction; what another worker took over is skipped.

    `worker_id` is the number that the rows were claimed under. Returns how many were written:
    fewer than there are means that others have taken rows of this worker.
    """
    at = now()
    written = 0
    accepted = [(r, r.outcome) for r in results if isinstance(r.outcome, Accepted)]
    if accepted:
        written += _accept(session, worker_id, accepted, at)
    for result in results:
        match result.outcome:
            case Deferred() as reply:
                written += _defer(session, worker_id, result, reply, at)
            case Refused() as reply:
                written += _end(session, worker_id, result, MessageState.BOUNCED, reply, at)
            case Failed() as failure:
                written += _end(session, worker_id, result, MessageState.FAILED, failure, at)
    return written


def _accept(
    session: Session, worker_id: int, accepted: Sequence[tuple[Result, Accepted]], at: datetime
) -> int:
    connection = session.connection()
    rows = [
        (
            result.message_id,
            f"{reply.code} {reply.words}".strip(),
            reply.server[:255],
            result.resolved_id,
        )
        for result, reply in accepted
    ]
    if connection.dialect.name == "sqlite":
        # As UtcDateTime keeps it.
        moment = at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
        values = [(words, server, moment, who, one, worker_id) for one, words, server, who in rows]
        return connection.exec_driver_sql(_ACCEPT_ON_SQLITE, values).rowcount
    columns = tuple(list(column) for column in zip(*rows, strict=True))
    return connection.exec_driver_sql(_ACCEPT_ON_POSTGRESQL, (at, *columns, worker_id)).rowcount


def _defer(session: Session, worker_id: int, result: Result, reply: Deferred, at: datetime) -> bool:
    counted = _count_try(session, worker_id, result, reply)
    if counted is None:
        return False
    wait = wait_after(reply, counted.tries, random.random())  # noqa: S311 - spreads load
    due_at = at + wait
    is_over = col(Message.expires_at) <= due_at
    state = session.connection().scalar(
        update(Message)
        .where(col(Message.id) == result.message_id)
        .values(
            worker_id=None,
            state=case((is_over, MessageState.FAILED.value), else_=MessageState.DEFERRED.value),
            due_at=case((is_over, None), else_=due_at),
            variables=case((is_over, VARIABLES_AFTER_THE_END), else_=col(Message.variables)),
        )
        .returning(col(Message.state))
    )
    _log_attempt(session, result.message_id, counted.tries, reply, at)
    if state is MessageState.FAILED:
        if not end_called_back(session, [result.message_id]):
            words = _given_up(counted.tries, at - _first_try(session, counted.id))
            _log_event(session, counted.id, EventKind.FAILED, at, words)
    else:
        _notice_delay(session, counted, at)
    return True


def _first_try(session: Session, message_id: int) -> datetime:
    """When a server first spoke of it: a reminder may have been accepted weeks before."""
    first = select(func.min(Attempt.at)).where(Attempt.message_id == message_id)
    at: datetime = session.exec(first).one()
    return at


def _given_up(tries: int, time: timedelta) -> str:
    if tries == 1:
        return "Given up after one try: its time was over."
    return f"Given up: it was tried {tries} times within {_long(time)}."


def _notice_delay(session: Session, counted: Any, at: datetime) -> None:
    """Say once, to the account's log, that it is late (RFC 3464 §2.3.3 calls it "delayed")."""
    enough = DELAY_NOTICES[counted.stream]
    if at - counted.created_at < enough:
        return
    waited = at - _first_try(session, counted.id)
    if waited < enough:
        return
    said = select(Event.id).where(Event.message_id == counted.id, Event.kind == EventKind.DELAYED)
    if session.exec(said.limit(1)).first() is None:
        more = _long(max(counted.expires_at - at, timedelta(0)))
        words = f"It has waited for {_long(waited)} and is tried for {more} more."
        _log_event(session, counted.id, EventKind.DELAYED, at, words)


def _long(time: timedelta) -> str:
    """A length of time in words, roughly: "50 minutes", "5 hours", "2 days"."""
    for unit, seconds, most in (("minute", 60, 90), ("hour", 3_600, 36), ("day", 86_400, 10**9)):
        count = max(1, round(time.total_seconds() / seconds))
        if count <= most:
            return f"1 {unit}" if count == 1 else f"{count} {unit}s"
    raise AssertionError("no time is that long")


def _count_try(
    session: Session, worker_id: int, result: Result, outcome: Deferred | Refused | Failed
) -> Any:
    """Add the try to a row that is still ours; returns what it is now, None where it is lost."""
    costs_attempt = not isinstance(outcome, Deferred) or outcome.costs_attempt
    counted = session.connection().execute(
        update(Message)
        .where(col(Message.id) == result.message_id, col(Message.worker_id) == worker_id)
        .values(
            tries=col(Message.tries) + 1,
            attempts=col(Message.attempts) + (1 if costs_attempt else 0),
            reply=_words(outcome),
            server=getattr(outcome, "server", None),
            **({} if result.resolved_id is None else {"resolved_id": result.resolved_id}),
        )
        .returning(
            *(col(Message.id), col(Message.tries), col(Message.stream)),
            *(col(Message.created_at), col(Message.expires_at)),
        )
    )
    return counted.first()


def _end(
    session: Session,
    worker_id: int,
    result: Result,
    state: MessageState,
    outcome: Refused | Failed,
    at: datetime,
) -> bool:
    counted = _count_try(session, worker_id, result, outcome)
    if counted is None:
        return False
    session.connection().execute(
        update(Message).where(col(Message.id) == result.message_id).values(state=state, **_ENDED)
    )
    if isinstance(outcome, Refused):
        _log_attempt(session, result.message_id, counted.tries, outcome, at)
    else:  # no server ever saw it, so there is no attempt that says when
        _log_event(session, result.message_id, EventKind.FAILED, at, outcome.words)
    return True


def _log_attempt(
    session: Session, message_id: int, n: int, reply: Deferred | Refused, at: datetime
) -> None:
    session.connection().execute(
        insert(Attempt).values(
            message_id=message_id,
            n=n,
            stage=reply.stage,
            code=reply.code,
            reply=_words(reply),
            server=reply.server[:255],
            at=at,
        )
    )


def _log_event(
    session: Session, message_id: int, kind: EventKind, at: datetime, words: str
) -> None:
    session.connection().execute(
        insert(Event).values(
            id=new_id(), message_id=message_id, kind=kind, at=at, detail={"words": words}
        )
    )


def _words(outcome: Deferred | Refused | Failed) -> str:
    if isinstance(outcome, Failed):
        return outcome.words
    note = " (in doubt: it may have been taken)" if getattr(outcome, "in_doubt", False) else ""
    code = "" if outcome.code is None else f"{outcome.code} "
    return f"{code}{outcome.words}{note}"
