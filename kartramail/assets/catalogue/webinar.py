"""Webinars: a seat that somebody takes."""

from kartramail.assets import variables as v
from kartramail.assets.notification_types import Kind, NotificationType

WEBINAR = Kind(
    "webinar",
    "Webinar",
    "Webinars",
    "webinar",
    "Getting started, live",
    (
        NotificationType(
            "webinar.booked",
            "Webinar seat confirmed",
            "When somebody has taken a seat",
            (v.STARTS_AT, v.STARTS_AT_ISO, v.HOST, v.NOTE, v.JOIN_LINK),
            reminder="webinar.reminder",
        ),
        NotificationType(
            "webinar.reminder",
            "Webinar reminder",
            "Ahead of the webinar, usually a day before",
            (v.STARTS_AT, v.STARTS_AT_ISO, v.HOST, v.NOTE, v.JOIN_LINK),
        ),
    ),
)
