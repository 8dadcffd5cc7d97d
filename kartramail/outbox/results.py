"""What the world said of a message, written down. Results come from a worker, for its own rows.

Every statement here says `WHERE worker_id = me`: a late result of a worker that lost its rows is
not taken (fencing). A first try that is accepted needs no row of its own: the message has it all.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlmodel import Session

from kartramail.clock import now
from kartramail.outbox.outcomes import Failed, Result
from kartramail.outbox.unaccepted import record_unaccepted
from kartramail.rules.replies import Accepted

__all__ = ["Failed", "Result", "record_results"]

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
    if len(accepted) < len(results):
        others = [one for one in results if not isinstance(one.outcome, Accepted)]
        written += record_unaccepted(session, worker_id, others, at)
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
