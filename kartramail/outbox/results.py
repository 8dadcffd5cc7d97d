"""What the world said of a message, written down. Results come from a worker, for its own rows.

Every statement here says `WHERE worker_id = me`: a late result of a worker that lost its rows is
not taken (fencing). A first try that is accepted needs no row of its own: the message has it all.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlmodel import Session

from kartramail.clock import now
from kartramail.db import Database
from kartramail.outbox.outcomes import Failed, Result
from kartramail.outbox.unaccepted import record_unaccepted
from kartramail.rules.replies import Accepted

__all__ = ["Failed", "Result", "record_results", "write_results"]

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
# One text of JSON: to write down an array of each column takes the driver five times as long.
_ACCEPT_ON_POSTGRESQL = f"""
    UPDATE message SET {_ACCEPTED}, reply = result.row ->> 1, server = result.row ->> 2,
        sent_at = %s, resolved_id = coalesce((result.row ->> 3)::bigint, message.resolved_id)
    FROM json_array_elements(%s::json) AS result (row)
    WHERE message.id = (result.row ->> 0)::bigint AND coalesce(message.worker_id, 0) = %s
"""


def write_results(db: Database, by_worker: Mapping[int, Sequence[Result]]) -> int:
    """Commit these, by the number that their rows were claimed under; how many were written.

    All of them or none. Fewer than there are means that others have taken rows.
    """
    if len(by_worker) == 1:
        ((worker_id, results),) = by_worker.items()
        accepted = _accepted(results)
        if len(accepted) == len(results):  # as nearly always: one statement is all there is
            return db.execute_alone(*_acceptance(db.is_sqlite, worker_id, accepted, now()))
    with db.transaction() as session:
        return sum(record_results(session, *one) for one in by_worker.items())


def record_results(session: Session, worker_id: int, results: Sequence[Result]) -> int:
    """Write these in the caller's transaction; what another worker took over is skipped.

    `worker_id` is the number that the rows were claimed under. Returns how many were written:
    fewer than there are means that others have taken rows of this worker.
    """
    at = now()
    written = 0
    accepted = _accepted(results)
    if accepted:
        connection = session.connection()
        is_sqlite = connection.dialect.name == "sqlite"
        statement, values = _acceptance(is_sqlite, worker_id, accepted, at)
        written += connection.exec_driver_sql(statement, values).rowcount
    if len(accepted) < len(results):
        others = [one for one in results if not isinstance(one.outcome, Accepted)]
        written += record_unaccepted(session, worker_id, others, at)
    return written


def _accepted(results: Sequence[Result]) -> list[tuple[Result, Accepted]]:
    return [(each, each.outcome) for each in results if isinstance(each.outcome, Accepted)]


def _acceptance(
    is_sqlite: bool, worker_id: int, accepted: Sequence[tuple[Result, Accepted]], at: datetime
) -> tuple[str, Any]:
    """The statement that writes them, and its parameters."""
    rows = [
        (
            result.message_id,
            f"{reply.code} {reply.words}".strip(),
            reply.server[:255],
            result.resolved_id,
        )
        for result, reply in accepted
    ]
    if not is_sqlite:
        return _ACCEPT_ON_POSTGRESQL, (at, json.dumps(rows), worker_id)
    # As UtcDateTime keeps it.
    moment = at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
    return _ACCEPT_ON_SQLITE, [
        (words, server, moment, who, number, worker_id) for number, words, server, who in rows
    ]
