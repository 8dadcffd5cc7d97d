"""Events: something happened at a form, a calendar …, and somebody hears of it (R-EVENT).

An event is judged without the database first, then fired: its notification goes into the outbox,
and a booking schedules, moves or takes away its reminder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlmodel import Session

from kartramail.assets.event_faults import (
    NO_ASSET,
    EventFault,
    not_fired,
    read_start,
    unknown_event,
)
from kartramail.assets.kinds import TYPES, fires
from kartramail.assets.letters import Occasion, letters_for, load_scenes
from kartramail.assets.notification_types import NotificationType
from kartramail.assets.reminders import Booking, cancel_reminder, schedule_reminder
from kartramail.assets.settings import words_to_send
from kartramail.errors import KartraMailError
from kartramail.installation import Installation
from kartramail.messages.enqueue import enqueue_letters
from kartramail.rules.addresses import AddressPolicy, judge_recipient_address


@dataclass(frozen=True, slots=True)
class EventRequest:
    """An event as a program tells of it. `contact` has `email`; `key` names the booking."""

    asset_id: int
    event: str
    contact: Mapping[str, Any]
    variables: Mapping[str, Any]
    starts_at: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class FiredEvent:
    """An event that is sound, as far as one can tell without the database."""

    asset_id: int
    type: NotificationType
    occasion: Occasion
    key: str | None = None


class EventRefused(KartraMailError):
    """An event that its asset cannot have; `fault` says why."""

    def __init__(self, fault: EventFault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def judge_event(
    asked: EventRequest, policy: AddressPolicy
) -> tuple[FiredEvent | None, list[EventFault]]:
    """The event, or all that is wrong with it, as far as one can tell without the database."""
    faults = []
    notification = TYPES.get(asked.event)
    if notification is None:
        faults.append(unknown_event(asked.event))
    judged = judge_recipient_address(str(asked.contact["email"]), policy)
    if judged.address is None or judged.verdict.is_error:
        code = judged.verdict.code or "syntax"
        faults.append(EventFault("contact/email", code, judged.verdict.message))
    starts_at = None if asked.starts_at is None else read_start(asked.starts_at)
    if isinstance(starts_at, EventFault):
        faults.append(starts_at)
        starts_at = None
    if faults or notification is None or judged.address is None:
        return None, faults
    contact = {**asked.contact, "email": judged.address.text}
    occasion = Occasion(contact, asked.variables, starts_at)
    return FiredEvent(asked.asset_id, notification, occasion, asked.key), []


def fire_event(
    session: Session, installation: Installation, account_id: int, event: FiredEvent
) -> list[int]:
    """Put what it causes into the outbox; returns the messages' ids, none where it is switched off.

    Raises EventRefused for an asset that this account does not have (`not_found`), and for one of
    a kind that has no such event (`wrong_kind`).
    """
    scene = load_scenes(session, account_id, [event.asset_id]).get(event.asset_id)
    if scene is None:
        raise EventRefused(EventFault("asset_id", "not_found", NO_ASSET))
    if not fires(scene.kind, event.type.name):
        raise EventRefused(not_fired(scene.kind, event.type.name))
    settings = installation.settings
    # The reminder before the messages, as everybody locks them (see reminders.py).
    _follow_booking(session, account_id, event, timedelta(hours=settings.reminder_hours))
    words = words_to_send(session, account_id, event.asset_id, event.type)
    if words is None:
        return []
    letters = letters_for(session, scene, event.type, event.occasion, words)
    enqueued = enqueue_letters(session, account_id, letters, settings.platform_domain)
    return [message.id for message in enqueued]


def _follow_booking(
    session: Session, account_id: int, event: FiredEvent, before: timedelta
) -> None:
    """Schedule, move or take away the reminder that this event speaks of."""
    scheduled, cancelled = event.type.reminder, event.type.cancels
    if scheduled is not None and event.occasion.starts_at is not None:
        booking = Booking(account_id, event.asset_id, scheduled, event.key)
        starts_at = event.occasion.starts_at
        schedule_reminder(session, booking, event.occasion, starts_at, starts_at - before)
    if cancelled is not None and event.key is not None:
        cancel_reminder(session, Booking(account_id, event.asset_id, cancelled, event.key))
