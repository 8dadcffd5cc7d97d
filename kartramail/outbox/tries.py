"""Tries that no server accepted: of which rows they were, and what comes of each (R-RETRY)."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from kartramail.outbox.fencing import is_held_by
from kartramail.outbox.models import Message, MessageState
from kartramail.outbox.outcomes import Failed, Result
from kartramail.rules.backoff import due_again, tried_for, wait_after
from kartramail.rules.replies import Deferred, Refused


@dataclass(frozen=True, slots=True)
class Try:
    """The `n`th try of a message. It has ended with it where it is not due again."""

    row: Any  # id, stream, created_at, tries and attempts before this one
    outcome: Deferred | Refused | Failed
    resolved_id: int | None
    state: MessageState
    due_at: datetime | None
    ends_at: datetime  # it is not tried for longer

    @property
    def id(self) -> int:
        """The message's."""
        return int(self.row.id)

    @property
    def n(self) -> int:
        """From 1 on."""
        return int(self.row.tries) + 1

    @property
    def words(self) -> str:
        """What the account is told that the server said, or that happened."""
        outcome = self.outcome
        if isinstance(outcome, Failed):
            return outcome.words
        in_doubt = isinstance(outcome, Deferred) and outcome.in_doubt
        note = " (in doubt: it may have been taken)" if in_doubt else ""
        code = "" if outcome.code is None else f"{outcome.code} "
        return f"{code}{outcome.words}{note}"


_READ: list[Any] = [
    getattr(Message, name)
    for name in ("id", "stream", "created_at", "expires_at", "tries", "attempts")
]


def find_tries(
    session: Session, worker_id: int, results: Sequence[Result], at: datetime
) -> list[Try]:
    """Those of `results` whose rows this worker still holds; the rows are locked from here on."""
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


def _judge(row: Any, result: Result, at: datetime) -> Try:
    due_at, ends_at = None, row.expires_at
    if not row.tries:  # until now it was kept, and from now on it is tried
        ends_at = min(ends_at, at + tried_for(row.stream))
    match result.outcome:
        case Deferred() as reply:
            before = row.attempts if reply.costs_attempt else row.tries
            wait = wait_after(reply, before + 1, random.random())  # noqa: S311 - spreads load
            due_at = due_again(at, wait, ends_at)
            state = MessageState.FAILED if due_at is None else MessageState.DEFERRED
        case Refused() as reply:
            state = MessageState.BOUNCED
        case Failed() as reply:
            state = MessageState.FAILED
        case _:
            raise TypeError("an accepted message is written elsewhere")
    return Try(row, reply, result.resolved_id, state, due_at, ends_at)
