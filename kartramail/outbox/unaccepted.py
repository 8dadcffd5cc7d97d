"""Tries that no server accepted, written down: few statements for however many there are.

Their rows are locked as they are read, and written as they were read: what another worker took over
is not among them (fencing), and whoever calls one back meanwhile waits, or has done so before.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Boolean, bindparam, case
from sqlmodel import Session, col, func, update

from kartramail.column_types import StateType, UtcDateTime
from kartramail.outbox.models import VARIABLES_AFTER_THE_END, Message, MessageState
from kartramail.outbox.outcomes import Failed, Result
from kartramail.outbox.tries import Try, find_tries
from kartramail.outbox.try_log import log_tries
from kartramail.rules.replies import Deferred


def record_unaccepted(
    session: Session, worker_id: int, results: Sequence[Result], at: datetime
) -> int:
    """Write the results of these other than accepted ones; returns how many were written."""
    tries = find_tries(session, worker_id, results, at)
    if not tries:
        return 0
    _write_rows(session, worker_id, tries)
    log_tries(session, tries, at)
    return len(tries)


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
        expires_at=bindparam("ends", type_=UtcDateTime),
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


def _write_rows(session: Session, worker_id: int, tries: Sequence[Try]) -> None:
    session.connection().execute(
        _WRITE,
        [
            {
                "id_": one.id,
                "worker": worker_id,
                "state_": one.state,
                "due": one.due_at,
                "ends": one.ends_at,
                "n": one.n,
                "cost": int(not isinstance(one.outcome, Deferred) or one.outcome.costs_attempt),
                "words": one.words,
                "by": None if isinstance(one.outcome, Failed) else one.outcome.server[:255],
                "sender": one.resolved_id,
                "is_over": one.due_at is None,
            }
            for one in tries
        ],
    )
