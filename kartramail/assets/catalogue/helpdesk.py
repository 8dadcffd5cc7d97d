"""Helpdesks: what somebody asks, and what the team answers."""

from kartramail.assets import variables as v
from kartramail.assets.notification_types import Kind, NotificationType
from kartramail.assets.variables import Variable

HELPDESK = Kind(
    "helpdesk",
    "Helpdesk",
    "Helpdesks",
    "helpdesk",
    "Customer care",
    (
        NotificationType(
            "helpdesk.ticket_received",
            "Ticket received",
            "When somebody has asked something",
            (
                v.TICKET_NUMBER,
                v.TICKET_SUBJECT,
                v.TICKET_MESSAGE,
                Variable("link", "Where to follow it", "https://example.com/tickets/318"),
            ),
        ),
        NotificationType(
            "helpdesk.reply",
            "Reply to a ticket",
            "When your team has answered",
            (
                v.TICKET_NUMBER,
                v.TICKET_SUBJECT,
                Variable(
                    "reply",
                    "What your team wrote",
                    "Hello Jane,\nYou are on the yearly plan from today.",
                ),
                Variable("agent", "Who wrote it", "Alice"),
                Variable("link", "Where to answer", "https://example.com/tickets/318"),
            ),
        ),
    ),
)
