"""The variables that a notification can be filled in with (R-VARS): name, meaning, example.

Every notification has the common ones. What its event brings stands by its own name as well as
under `event.`, where also lies what nobody here knows of: all that a program sends along.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Variable:
    """`name` as it is written in a template; `meaning` is for people; `example` is JSON."""

    name: str
    meaning: str
    example: Any


COMMON_VARIABLES: tuple[Variable, ...] = (
    Variable("contact.first_name", "First name", "Jane"),
    Variable("contact.last_name", "Last name", "Doe"),
    Variable("contact.email", "Email address", "jane@example.net"),
    Variable("contact.fields.*", "Your own fields of a contact, by name", {"company": "Doe Inc."}),
    Variable("business.name", "The name of your business", "Doe Inc."),
    Variable("asset.name", "The name of the form, calendar or product", "Getting started"),
    Variable("event.*", "All that the program sent along, by name", {}),
)

STARTS_AT = Variable(
    "starts_at", "When it begins, in words", "Thursday 18 March 2027 at 14:00 (CET)"
)
STARTS_AT_ISO = Variable("starts_at_iso", "The same for programs", "2027-03-18T14:00:00+01:00")
PLACE = Variable("place", "Where it is", "12 Market Street, first floor")
HOST = Variable("host", "Who leads it", "Alice Doe")
NOTE = Variable("note", "What to know or to bring along", "Please bring the signed form.")
JOIN_LINK = Variable(
    "join_link", "The address at which to join", "https://meet.example.com/getting-started"
)
CHANGE_LINK = Variable(
    "change_link", "Where the booking can be moved or cancelled", "https://example.com/booking/1042"
)
LINK = Variable("link", "Where the button of the mail leads", "https://example.com/continue")
REASON = Variable("reason", "Why, in a sentence", "The room is not available that day.")

ORDER_NUMBER = Variable("order_number", "The number of the order", "1042")
ITEMS = Variable(
    "items",
    "What was bought: a list of name, quantity and amount",
    [
        {"name": "Getting started, the course", "quantity": 1, "amount": "€ 49.00"},
        {"name": "The workbook", "quantity": 2, "amount": "€ 20.00"},
    ],
)
AMOUNT = Variable("amount", "How much, with the currency", "€ 69.00")

TICKET_NUMBER = Variable("ticket_number", "The number of the ticket", "318")
TICKET_SUBJECT = Variable("ticket_subject", "What the ticket is about", "Changing my plan")
TICKET_MESSAGE = Variable(
    "message",
    "What the person wrote",
    "Hello,\nI would like to change to the yearly plan. Can you do that?",
)
