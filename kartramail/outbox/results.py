"""What the world said of a message, written down. Results come from a worker, for its own rows.

Every statement here says `WHERE worker_id = me`: a late result of a worker that lost its rows is
not taken (fencing). A first try that is accepted needs no row of its own: the message has it all.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case
from sqlmodel import Session, col, func, insert, update

from kartramail.clock import now
from kartramail.db import IdType
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
from kartramail.rules.backoff import next_wait
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

_ACCEPT = (
    update(Message)
    .where(col(Message.id) == bindparam("id_"), col(Message.worker_id) == bindparam("worker"))
    .values(
        state=MessageState.SENT,
        tries=col(Message.tries) + 1,
        attempts=col(Message.attempts) + 1,
        reply=bindparam("words"),
        server=bindparam("server_"),
        sent_at=bindparam("at"),
        resolved_id=func.coalesce(bindparam("resolved", type_=IdType), col(Message.resolved_id)),
        **_ENDED,
    )
)


def record_results(session: Session, worker_id: int, results: Sequence[Result]) -> int:
    """Write these in the caller's transaction; what another worker took over is skipped.

    `worker_id` is the number that the rows were claimed under. Returns how many were written:
    fewer than there are means that others have taken rows of this worker.
    """
    at = now()
    written = 0
    accepted = [_acceptance(r, r.outcome, worker_id, at) for r in results if _is_accepted(r)]
    if accepted:
        written += session.connection().execute(_ACCEPT, accepted).rowcount
    for result in results:
        match result.outcome:
            case Deferred() as reply:
                written += _defer(session, worker_id, result, reply, at)
            case Refused() as reply:
                written += _end(session, worker_id, result, MessageState.BOUNCED, reply, at)
            case Failed() as failure:
                written += _end(session, worker_id, result, MessageState.FAILED, failure, at)
    return written


def _is_accepted(result: Result) -> bool:
    return isinstance(result.outcome, Accepted)


def _acceptance(result: Result, reply: Any, worker_id: int, at: datetime) -> dict[str, Any]:
    return {
        "id_": result.message_id,
        "worker": worker_id,
        "words": f"{reply.code} {reply.words}".strip(),
        "server_": reply.server[:255],
        "at": at,
        "resolved": result.resolved_id,
    }


def _defer(session: Session, worker_id: int, result: Result, reply: Deferred, at: datetime) -> bool:
    tries = _count_try(session, worker_id, result, reply)
    if tries is None:
        return False
    due_at = at + next_wait(tries, random.random())  # noqa: S311 - spreads load, guards nothing
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
    _log_attempt(session, result.message_id, tries, reply, at)
    if state is MessageState.FAILED:
        end_called_back(session, [result.message_id])
    return True


def _count_try(
    session: Session, worker_id: int, result: Result, outcome: Deferred | Refused | Failed
) -> int | None:
    """Add the try to a row that is still ours; returns the number of tries, None where lost."""
    costs_attempt = not isinstance(outcome, Deferred) or outcome.costs_attempt
    return session.connection().scalar(
        update(Message)
        .where(col(Message.id) == result.message_id, col(Message.worker_id) == worker_id)
        .values(
            tries=col(Message.tries) + 1,
            attempts=col(Message.attempts) + (1 if costs_attempt else 0),
            reply=_words(outcome),
            server=getattr(outcome, "server", None),
            **({} if result.resolved_id is None else {"resolved_id": result.resolved_id}),
        )
        .returning(col(Message.tries))
    )


def _end(
    session: Session,
    worker_id: int,
    result: Result,
    state: MessageState,
    outcome: Refused | Failed,
    at: datetime,
) -> bool:
    tries = _count_try(session, worker_id, result, outcome)
    if tries is None:
        return False
    session.connection().execute(
        update(Message).where(col(Message.id) == result.message_id).values(state=state, **_ENDED)
    )
    if isinstance(outcome, Refused):
        _log_attempt(session, result.message_id, tries, outcome, at)
    else:  # no server ever saw it, so there is no attempt that says when
        _log_failure(session, result.message_id, outcome, at)
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


def _log_failure(session: Session, message_id: int, failure: Failed, at: datetime) -> None:
    session.connection().execute(
        insert(Event).values(
            id=new_id(),
            message_id=message_id,
            kind=EventKind.FAILED,
            at=at,
            detail={"words": failure.words},
        )
    )


def _words(outcome: Deferred | Refused | Failed) -> str:
    if isinstance(outcome, Failed):
        return outcome.words
    note = " (in doubt: it may have been taken)" if getattr(outcome, "in_doubt", False) else ""
    code = "" if outcome.code is None else f"{outcome.code} "
    return f"{code}{outcome.words}{note}"
