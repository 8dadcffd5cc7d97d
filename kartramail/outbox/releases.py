"""Rows that a worker gives back without having put them on the wire. It is free.

One of the few files that cross accounts: every statement names the worker that holds the rows.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, case
from sqlmodel import Session, col, insert, update

from kartramail.clock import now
from kartramail.column_types import UtcDateTime
from kartramail.ids import new_id
from kartramail.outbox.cancellation import end_called_back
from kartramail.outbox.fencing import is_held_by
from kartramail.outbox.limits import take_back_rows
from kartramail.outbox.models import (
    VARIABLES_AFTER_THE_END,
    Event,
    EventKind,
    Message,
    MessageState,
)

_TRIED_AND_OVER = "Given up before it was tried again: its time was over."
_NEVER_TRIED = "Given up before it was tried at all: its time was over."


def release(session: Session, worker_id: int, ids: Sequence[int] | None = None) -> None:
    """Give rows back that were never on the wire (all of the worker's, or these). It is free.

    What was called back meanwhile, or whose time is over, ends here.
    """
    mine = (
        (col(Message.worker_id) == worker_id,)
        if ids is None
        else (col(Message.id).in_(ids), is_held_by(worker_id))
    )
    take_back_rows(session, _make_due(session, update(Message).where(*mine)))


_POSTPONE = (
    update(Message)
    .where(col(Message.id) == bindparam("id_"))  # locked by the statement before
    .values(worker_id=None, due_at=bindparam("due", type_=UtcDateTime))
)


def postpone(session: Session, worker_id: int, due: Mapping[int, datetime]) -> None:
    """Let rows that were never on the wire wait until then, at no cost.

    None waits past the end of its time: it is looked at then, and ends. What was called back
    meanwhile, or whose time is over, ends here.
    """
    if not due:
        return
    at = now()
    mine = (
        session.connection()
        .execute(
            update(Message)
            .where(
                col(Message.id).in_(list(due)),
                is_held_by(worker_id),
                col(Message.expires_at) > at,
            )
            .values(state=waiting_state())
            .returning(
                *(col(Message.id), col(Message.expires_at), col(Message.account_id)),
                *(col(Message.stream), col(Message.counted_on)),
                *(col(Message.tries), col(Message.deaths)),
            )
        )
        .all()
    )
    if mine:
        session.connection().execute(
            _POSTPONE,
            [{"id_": row.id, "due": min(due[row.id], row.expires_at)} for row in mine],
        )
    rest = due.keys() - {row.id for row in mine}
    over = _make_due(session, _of_these(worker_id, rest)) if rest else []
    take_back_rows(session, [*mine, *over])  # all at once: counts are locked in one order


def release_others(session: Session, worker_id: int, held: Collection[int]) -> int:
    """Give back whatever is this worker's by the database, but not among what it holds; how many.

    Such rows are left when the database went away between a claim and its answer, or before rows
    could be given back: a worker that lives would keep them for ever. It is free.
    """
    rows = _make_due(
        session,
        update(Message).where(
            col(Message.worker_id) == worker_id, col(Message.id).not_in(list(held))
        ),
    )
    take_back_rows(session, rows)
    return len(rows)


def _of_these(worker_id: int, ids: Collection[int]) -> Any:
    return update(Message).where(col(Message.id).in_(sorted(ids)), is_held_by(worker_id))


def _make_due(session: Session, statement: Any) -> Sequence[Any]:
    """What it updates is due, or has ended; the counts of its days are left to the caller."""
    at = now()
    is_over = col(Message.expires_at) <= at
    rows = (
        session.connection()
        .execute(
            statement.values(
                worker_id=None,
                due_at=case((is_over, None), else_=at),
                state=case((is_over, MessageState.FAILED.value), else_=waiting_state()),
                variables=case((is_over, VARIABLES_AFTER_THE_END), else_=col(Message.variables)),
            ).returning(
                *(col(Message.id), col(Message.state), col(Message.account_id)),
                *(col(Message.stream), col(Message.counted_on)),
                *(col(Message.tries), col(Message.deaths)),
            )
        )
        .all()
    )
    _end_unsent(session, [row for row in rows if row.state is MessageState.FAILED])
    return rows


def _end_unsent(session: Session, ended: Sequence[Any]) -> None:
    """Say of what ended here, whether it was called back or its time was over."""
    called_back = set(end_called_back(session, [row.id for row in ended]))
    told = {
        row.id: _TRIED_AND_OVER if row.tries + row.deaths else _NEVER_TRIED
        for row in ended
        if row.id not in called_back
    }
    for words in sorted(set(told.values())):
        some = col(Message.id).in_([one for one in told if told[one] == words])
        session.connection().execute(update(Message).where(some).values(reply=words))
    if told:
        session.connection().execute(
            insert(Event), [event_row(one, EventKind.FAILED, told[one]) for one in sorted(told)]
        )


def event_row(message_id: int, kind: EventKind, words: str) -> dict[str, Any]:
    """What happened to a message, as a row."""
    return {
        "id": new_id(),
        "message_id": message_id,
        "kind": kind,
        "at": now(),
        "detail": {"words": words},
    }


def waiting_state() -> Any:
    """The state of a row that waits: tried already, or not yet."""
    return case(
        (col(Message.tries) + col(Message.deaths) == 0, MessageState.QUEUED.value),
        else_=MessageState.DEFERRED.value,
    )
