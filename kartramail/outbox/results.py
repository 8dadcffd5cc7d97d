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
from sqlmodel import Session, col, insert, update

from kartramail.clock import now
from kartramail.outbox.models import Attempt, Message, MessageState
from kartramail.rules.backoff import next_wait
from kartramail.rules.replies import Accepted, Deferred, Refused, Reply


@dataclass(frozen=True, slots=True)
class Failed:
    """The message could not be built: no server ever saw it."""

    words: str


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one try of one message; `resolved_id` is the sender that it went out under."""

    message_id: int
    outcome: Reply | Failed
    resolved_id: int | None


_ENDED = {
    "worker_id": None,
    "due_at": None,
    # The platform's own mails carry links in their variables: nobody needs them any more.
    "variables": case((col(Message.template).is_(None), col(Message.variables)), else_=None),
}

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
        resolved_id=bindparam("resolved"),
        **_ENDED,
    )
)


def record_results(session: Session, worker_id: int, results: Sequence[Result]) -> None:
    """Write these in the caller's transaction; what another worker took over is skipped."""
    at = now()
    accepted = [_acceptance(r, r.outcome, worker_id, at) for r in results if _is_accepted(r)]
    if accepted:
        session.connection().execute(_ACCEPT, accepted)
    for result in results:
        match result.outcome:
            case Deferred() as reply:
                _defer(session, worker_id, result, reply, at)
            case Refused() as reply:
                _end(session, worker_id, result, MessageState.BOUNCED, reply, at)
            case Failed() as failure:
                _end(session, worker_id, result, MessageState.FAILED, failure, at)


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


def _defer(session: Session, worker_id: int, result: Result, reply: Deferred, at: datetime) -> None:
    tries = _count_try(session, worker_id, result, reply)
    if tries is None:
        return
    due_at = at + next_wait(tries, random.random())  # noqa: S311 - spreads load, guards nothing
    is_over = col(Message.expires_at) <= due_at
    session.connection().execute(
        update(Message)
        .where(col(Message.id) == result.message_id)
        .values(
            worker_id=None,
            state=case((is_over, MessageState.FAILED.value), else_=MessageState.DEFERRED.value),
            due_at=case((is_over, None), else_=due_at),
        )
    )
    _log_attempt(session, result.message_id, tries, reply, at)


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
            resolved_id=result.resolved_id,
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
) -> None:
    tries = _count_try(session, worker_id, result, outcome)
    if tries is None:
        return
    session.connection().execute(
        update(Message).where(col(Message.id) == result.message_id).values(state=state, **_ENDED)
    )
    if isinstance(outcome, Refused):
        _log_attempt(session, result.message_id, tries, outcome, at)


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


def _words(outcome: Deferred | Refused | Failed) -> str:
    if isinstance(outcome, Failed):
        return outcome.words
    note = " (in doubt: it may have been taken)" if getattr(outcome, "in_doubt", False) else ""
    code = "" if outcome.code is None else f"{outcome.code} "
    return f"{code}{outcome.words}{note}"
