"""Notifications of the town: a calendar with words of its own, a welcome that is switched off."""

from sqlmodel import Session

from kartramail.assets.kinds import TYPES
from kartramail.assets.service import create_asset
from kartramail.assets.settings import change_setting
from kartramail.ids import show_id
from tests.support.cast import Actor

SUBJECT = 'Your form is signed up, {{ contact.first_name | default: "there" }}'


def furnish_notifications(session: Session, owner: Actor) -> str:
    """What the list and the editors have to show; returns the path of one calendar's pages."""
    account_id, user_id = owner.account_id, owner.user_id
    names = (("calendar", "First consultation"), ("calendar", "Follow-up"), ("form", "Newsletter"))
    first, *_ = [create_asset(session, account_id, *each, user_id=user_id) for each in names]
    changes = (
        (None, "form.signed_up", {"subject": SUBJECT}),
        (None, "membership.welcome", {"enabled": False}),
        (first.id, "calendar.booked", {"subject": "See you soon, {{ contact.first_name }}"}),
    )
    for asset_id, name, change in changes:
        change_setting(session, account_id, asset_id, TYPES[name], change, user_id=user_id)
    return f"/assets/calendar/{show_id(first.id)}/notifications"
