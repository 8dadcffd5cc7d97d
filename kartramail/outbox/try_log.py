"""What the log of an account says of tries that no server accepted (R-RETRY, R-LOG)."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, col, func, insert, select

from kartramail.ids import new_id
from kartramail.outbox.cancellation import end_called_back
from kartramail.outbox.models import Attempt, Event, EventKind
from kartramail.outbox.outcomes import Failed
from kartramail.outbox.tries import Try
from kartramail.rules.backoff import DELAY_NOTICES
from kartramail.rules.replies import Deferred

_Told = tuple[int, EventKind, str]
"""A message, and what its log says of it."""


def log_tries(session: Session, tries: Sequence[Try], at: datetime) -> None:
    """Each as an attempt; and as an event what no server saw, what is given up and what is late."""
    _log_attempts(session, tries, at)
    events = [*_failures(tries), *_given_up(session, tries, at), *_delays(session, tries, at)]
    _log_events(session, events, at)


def _log_attempts(session: Session, tries: Sequence[Try], at: datetime) -> None:
    rows = [
        {
            "message_id": one.id,
            "n": one.n,
            "stage": one.outcome.stage,
            "code": one.outcome.code,
            "reply": one.words,
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


def _failures(tries: Sequence[Try]) -> list[_Told]:
    """No server ever saw these, so there is no attempt that says when."""
    return [
        (one.id, EventKind.FAILED, one.outcome.words)
        for one in tries
        if isinstance(one.outcome, Failed)
    ]


def _given_up(session: Session, tries: Sequence[Try], at: datetime) -> list[_Told]:
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


def _delays(session: Session, tries: Sequence[Try], at: datetime) -> list[_Told]:
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
        more = _long(max(old[one].ends_at - at, timedelta(0)))
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
