"""What every kind sends: to the team of the account, and to its affiliates."""

from kartramail.assets import variables as v
from kartramail.assets.notification_types import NotificationType, Recipient
from kartramail.assets.variables import Variable

_TEAM = "It stays within your business, where everyone knows the default sender."
_TEAM_TEXT = "Your team reads it, and knows one text. It is changed under Email notifications."
_AFFILIATE = "Affiliates work with the business as a whole, not with one product or form."
_AFFILIATE_TEXT = f"{_AFFILIATE} Its text is changed under Email notifications."

OF_EVERY_KIND: tuple[NotificationType, ...] = (
    NotificationType(
        "affiliate.approved",
        "Affiliate approved",
        "When somebody may recommend you from now on",
        (
            Variable("commission_rate", "Their share of each sale", "20 %"),
            Variable("affiliate_link", "The address that they share", "https://example.com/?by=jd"),
            Variable("link", "Where they see what they earned", "https://example.com/affiliates"),
        ),
        Recipient.AFFILIATE,
        _AFFILIATE,
        _AFFILIATE_TEXT,
    ),
    NotificationType(
        "affiliate.commission",
        "Commission earned",
        "When a sale came by an affiliate",
        (
            v.AMOUNT,
            v.ORDER_NUMBER,
            Variable("paid_on", "The day on which it is paid, in words", "1 April"),
            Variable("link", "Where they see what they earned", "https://example.com/affiliates"),
        ),
        Recipient.AFFILIATE,
        _AFFILIATE,
        _AFFILIATE_TEXT,
    ),
    NotificationType(
        "team.sale",
        "New sale",
        "When somebody has bought something",
        (
            v.AMOUNT,
            v.ORDER_NUMBER,
            Variable("link", "The order", "https://example.com/orders/1042"),
        ),
        Recipient.TEAM,
        _TEAM,
        _TEAM_TEXT,
    ),
    NotificationType(
        "team.booking",
        "New booking",
        "When somebody has booked a time or a seat",
        (
            v.STARTS_AT,
            v.STARTS_AT_ISO,
            v.PLACE,
            v.NOTE,
            Variable("link", "The booking", "https://example.com/bookings/1042"),
        ),
        Recipient.TEAM,
        _TEAM,
        _TEAM_TEXT,
    ),
    NotificationType(
        "team.ticket",
        "New ticket",
        "When somebody has asked something",
        (
            v.TICKET_NUMBER,
            v.TICKET_SUBJECT,
            v.TICKET_MESSAGE,
            Variable("link", "The ticket", "https://example.com/tickets/318"),
        ),
        Recipient.TEAM,
        _TEAM,
        _TEAM_TEXT,
    ),
)
