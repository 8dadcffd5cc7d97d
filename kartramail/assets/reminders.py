"""Reminders: scheduled with a booking, moved and taken away with it (R-EVENT).

One row a reminder, by the key of its booking: of two events that come at once the database makes
one follow the other. Whoever writes a reminder and messages locks the reminder first: this here,
and the round that lets them go (rounds.py). So nobody waits for each other.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from kartramail.assets.letters import Occasion
from kartramail.assets.models import ScheduledEvent
from kartramail.clock import now
from kartramail.ids import new_id
from kartramail.outbox.cancellation import cancel_waiting

_MOVED = "the booking was moved to another time"
_CANCELLED = "the booking was cancelled"


@dataclass(frozen=True, slots=True)
class Booking:
    """What a reminder belongs to. `type` is the reminder's; without `key` nothing can move it."""

    account_id: int
    asset_id: int
    type: str
    key: str | None


def schedule_reminder(
    session: Session,
    booking: Booking,
    occasion: Occasion,
    starts_at: datetime,
    due_at: datetime,
) -> None:
    """Let the reminder of what starts at `starts_at` leave at `due_at`, in an earlier one's place.

    Where that moment has passed there is none; one for another time is taken away all the same.
    """
    values = {
        "due_at": due_at,
        "starts_at": starts_at,
        "contact": dict(occasion.contact),
        "variables": dict(occasion.variables),
        "message_ids": [],
    }
    is_in_time = due_at > now()
    while not (is_in_time and _insert(session, booking, values)):
        row = _lock(session, booking)
        if row is not None:
            _move(session, row, values, is_in_time)
            return
        if not is_in_time:
            return
        # It was there, and was cancelled between the two statements: begin again.


def cancel_reminder(session: Session, booking: Booking) -> None:
    """Take the reminder of a booking away, and back from the outbox where it has not left."""
    row = _lock(session, booking)
    if row is not None:
        cancel_waiting(session, booking.account_id, row.message_ids, _CANCELLED)
        session.delete(row)


def _insert(session: Session, booking: Booking, values: dict[str, Any]) -> bool:
    """Put a new reminder in; False where the booking has one already."""
    dialect = sqlite if session.connection().dialect.name == "sqlite" else postgresql
    inserted = session.connection().execute(
        dialect.insert(ScheduledEvent)
        .values(
            id=new_id(),
            account_id=booking.account_id,
            asset_id=booking.asset_id,
            type=booking.type,
            key=secrets.token_urlsafe(24) if booking.key is None else booking.key,
            **values,
        )
        .on_conflict_do_nothing(index_elements=["account_id", "asset_id", "type", "key"])
        .returning(col(ScheduledEvent.id))
    )
    return inserted.first() is not None


def _lock(session: Session, booking: Booking) -> ScheduledEvent | None:
    if booking.key is None:
        return None
    return session.exec(
        select(ScheduledEvent)
        .where(
            ScheduledEvent.account_id == booking.account_id,
            ScheduledEvent.asset_id == booking.asset_id,
            ScheduledEvent.type == booking.type,
            ScheduledEvent.key == booking.key,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def _move(session: Session, row: ScheduledEvent, values: dict[str, Any], is_in_time: bool) -> None:
    """The same time once more changes only what is said: what went out stays out."""
    if row.starts_at == values["starts_at"]:
        row.contact, row.variables = values["contact"], values["variables"]
        session.add(row)
        return
    cancel_waiting(session, row.account_id, row.message_ids, _MOVED)
    if not is_in_time:
        session.delete(row)
        return
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
