"""Assets, events of them, and reminders moved in time, straight on the database."""

from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col, select, update

from kartramail.assets.events import EventRequest, FiredEvent, fire_event, judge_event
from kartramail.assets.models import EVERYWHERE, Asset, NotificationSetting, ScheduledEvent
from kartramail.clock import now
from kartramail.db import Database
from kartramail.installation import Installation
from kartramail.outbox.models import Event

PAT: dict[str, Any] = {"email": "pat@example.net", "first_name": "Pat"}


def add_asset(db: Database, account_id: int, kind: str = "calendar", name: str = "Advice") -> int:
    """A new thing of the account; returns its number."""
    asset = Asset(account_id=account_id, kind=kind, name=name)
    with db.transaction() as session:
        session.add(asset)
    return asset.id


def in_hours(hours: float) -> str:
    """A time that many hours from now, as programs write it."""
    return (now() + timedelta(hours=hours)).isoformat()


def judged(installation: Installation, asset_id: int, event: str, **more: Any) -> FiredEvent:
    """A sound event of Pat's."""
    asked = EventRequest(asset_id, event, **({"contact": PAT, "variables": {}} | more))
    found, faults = judge_event(asked, installation.address_policy())
    assert found is not None, faults
    return found


def fire(
    installation: Installation, account_id: int, asset_id: int, event: str, **more: Any
) -> list[int]:
    """Fire an event of Pat's in a transaction of its own; returns the ids of its messages."""
    sound = judged(installation, asset_id, event, **more)
    with installation.db.transaction() as session:
        return fire_event(session, installation, account_id, sound)


def reminders(db: Database) -> list[ScheduledEvent]:
    """All that wait for their time, or went out and can still be moved."""
    with db.reading() as session:
        return list(session.exec(select(ScheduledEvent).order_by(col(ScheduledEvent.id))))


def make_due(db: Database, starts_in: timedelta = timedelta(hours=20)) -> None:
    """Let time pass until every reminder is due, and what they remind of starts in `starts_in`."""
    with db.transaction() as session:
        session.connection().execute(
            update(ScheduledEvent)
            .where(col(ScheduledEvent.due_at).is_not(None))
            .values(due_at=now() - timedelta(seconds=1), starts_at=now() + starts_in)
        )


def change(db: Database, account_id: int, notification: str, asset_id: int, **values: Any) -> None:
    """Set what one asset, or the whole account (EVERYWHERE), says of a notification."""
    with db.transaction() as session:
        row = session.get(NotificationSetting, (account_id, asset_id, notification))
        row = row or NotificationSetting(
            account_id=account_id, asset_id=asset_id, type=notification
        )
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)


def events_of(db: Database, message_id: int) -> list[Event]:
    """What happened to a message, for people to read."""
    with db.reading() as session:
        return _events(session, message_id)


def _events(session: Session, message_id: int) -> list[Event]:
    return list(session.exec(select(Event).where(Event.message_id == message_id)))


def same_moment(one: datetime, other: str) -> bool:
    """Whether a time of the database is the one that a program wrote."""
    return one == datetime.fromisoformat(other)


__all__ = [
    "EVERYWHERE",
    "PAT",
    "add_asset",
    "change",
    "events_of",
    "fire",
    "in_hours",
    "judged",
    "make_due",
    "reminders",
    "same_moment",
]
