"""Every notification there is: who gets it, and whether it may have a sender of its own (R-ASSET).

A new type is a new line here. `name` is the word of the API, the other texts are for people.
"""

from dataclasses import dataclass
from enum import StrEnum


class Recipient(StrEnum):
    """Whom a notification goes to."""

    CONTACT = "contact"
    AFFILIATE = "affiliate"
    TEAM = "team"


@dataclass(frozen=True, slots=True)
class NotificationType:
    """One automatic message. `why_fixed` is set exactly where the sender cannot be chosen."""

    name: str
    title: str
    recipient: Recipient = Recipient.CONTACT
    why_fixed: str = ""

    @property
    def may_override_sender(self) -> bool:
        """Whether a form, calendar or product may send this from a sender of its own."""
        return not self.why_fixed

    @property
    def category(self) -> str:
        """What the type belongs to: the part of its name before the dot."""
        return self.name.partition(".")[0]


_CANCELLED = "It must still arrive when the calendar, and the sender chosen for it, are gone."
_TEAM = "It stays within your business, where everyone knows the default sender."
_AFFILIATE = "Affiliates work with the business as a whole, not with one product or form."

NOTIFICATION_TYPES: tuple[NotificationType, ...] = (
    NotificationType("form.signed_up", "Sign-up success"),
    NotificationType("form.confirm", "Please confirm your sign-up"),
    NotificationType("survey.completed", "Survey confirmation"),
    NotificationType("calendar.booked", "Booking confirmed"),
    NotificationType("calendar.reminder", "Booking reminder"),
    NotificationType("calendar.cancelled", "Booking cancelled", why_fixed=_CANCELLED),
    NotificationType("webinar.booked", "Webinar seat confirmed"),
    NotificationType("webinar.reminder", "Webinar reminder"),
    NotificationType("membership.welcome", "Welcome to the membership"),
    NotificationType("membership.post_unlocked", "New post unlocked"),
    NotificationType("product.receipt", "Receipt"),
    NotificationType("product.refund", "Refund"),
    NotificationType("product.payment_failed", "Failed payment"),
    NotificationType("product.subscription_cancelled", "Subscription cancelled"),
    NotificationType("helpdesk.ticket_received", "Ticket received"),
    NotificationType("helpdesk.reply", "Reply to a ticket"),
    NotificationType("team.sale", "New sale", Recipient.TEAM, _TEAM),
    NotificationType("team.booking", "New booking", Recipient.TEAM, _TEAM),
    NotificationType("team.ticket", "New ticket", Recipient.TEAM, _TEAM),
    NotificationType("affiliate.approved", "Affiliate approved", Recipient.AFFILIATE, _AFFILIATE),
    NotificationType("affiliate.commission", "Commission earned", Recipient.AFFILIATE, _AFFILIATE),
)
