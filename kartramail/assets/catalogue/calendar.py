"""Calendars: a time that somebody books, moves or takes back."""

from kartramail.assets import variables as v
from kartramail.assets.notification_types import Kind, NotificationType
from kartramail.assets.variables import Variable

_CANCELLED = "It must still arrive when the calendar, and the sender chosen for it, are gone."
_CANCELLED_TEXT = "All calendars share its text. It is changed under Settings, Email notifications."

CALENDAR = Kind(
    "calendar",
    "Calendar",
    "Calendars",
    "calendar",
    "First consultation",
    (
        NotificationType(
            "calendar.booked",
            "Booking confirmed",
            "When somebody has booked a time, or moved a booking",
            (
                v.STARTS_AT,
                v.STARTS_AT_ISO,
                v.PLACE,
                v.HOST,
                v.NOTE,
                v.JOIN_LINK,
                v.CHANGE_LINK,
            ),
            reminder="calendar.reminder",
        ),
        NotificationType(
            "calendar.reminder",
            "Booking reminder",
            "Ahead of a booked time, usually a day before",
            (
                v.STARTS_AT,
                v.STARTS_AT_ISO,
                v.PLACE,
                v.HOST,
                v.NOTE,
                v.JOIN_LINK,
                v.CHANGE_LINK,
            ),
        ),
        NotificationType(
            "calendar.cancelled",
            "Booking cancelled",
            "When a booking is taken back",
            (
                v.STARTS_AT,
                v.STARTS_AT_ISO,
                v.REASON,
                Variable("link", "Where to book again", "https://example.com/book"),
            ),
            why_fixed=_CANCELLED,
            why_text_fixed=_CANCELLED_TEXT,
            cancels="calendar.reminder",
        ),
    ),
)
