"""`/api/v1/events`: something happened at a form, a calendar, a product … (R-EVENT)."""

import json
from typing import Annotated, Any

from flask import jsonify
from flask_openapi3 import APIBlueprint, Tag
from pydantic import BaseModel, ConfigDict, Field, model_validator
from sqlmodel import Session

from kartramail.api.access import SECURITY, Problem, api_account, refuse
from kartramail.api.json_values import JsonObject, Text, check_json
from kartramail.api.once import answer_once
from kartramail.assets.event_faults import EventFault
from kartramail.assets.events import (
    EventRefused,
    EventRequest,
    FiredEvent,
    fire_event,
    judge_event,
)
from kartramail.ids import read_id, show_id
from kartramail.web.access import installation

MOST_SAID = 100_000
"""Characters of JSON in contact and variables; Gmail cuts a whole message at 102 kB."""

_ENDPOINT = "POST /events"

blueprint = APIBlueprint(
    "api_events",
    __name__,
    url_prefix="/api/v1",
    abp_tags=[Tag(name="events", description="What happened, and the notifications of it.")],
    abp_security=SECURITY,
    abp_responses={401: Problem, 422: Problem},
)


class EventContact(BaseModel):
    """Whom it happened to. Whatever else is sent along is `contact.<name>` in templates."""

    model_config = ConfigDict(extra="allow")

    email: str = Field(max_length=1000)
    first_name: str | None = Field(default=None, max_length=200)
    last_name: str | None = Field(default=None, max_length=200)
    fields: JsonObject = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _is_plain_json(cls, value: Any) -> Any:
        return check_json(value)


class NewEvent(BaseModel):
    """An event of one form, calendar, product ….

    `event` is a notification type, such as `calendar.booked`. `variables` fill its templates in,
    each as `event.<name>`, and by its own name where the type knows it. `starts_at` is what a
    reminder counts from: a time of ISO 8601 with its offset. `key` names the booking, for moving or
    cancelling its reminder.
    """

    model_config = ConfigDict(extra="forbid")

    asset_id: str
    event: str = Field(min_length=1, max_length=1000)
    contact: EventContact
    variables: JsonObject = Field(default_factory=dict)
    starts_at: str | None = Field(default=None, max_length=64)
    key: Annotated[Text, Field(min_length=1, max_length=255)] | None = None

    @model_validator(mode="after")
    def _fits_into_a_mail(self) -> "NewEvent":
        """Told now, and not when the notification is made and nobody looks."""
        said = json.dumps([self.contact.model_dump(), self.variables])
        if len(said) > MOST_SAID:
            raise ValueError(
                f"contact and variables may have {MOST_SAID:,} characters of JSON in all, and "
                f"these have {len(said):,}. Send links to what is long."
            )
        return self


class EventsMessages(BaseModel):
    """The messages that it caused, none where the notification is switched off."""

    message_ids: list[str]


@blueprint.post("/events", summary="Fire an event", responses={202: EventsMessages})
def post_event(body: NewEvent) -> Any:
    """202 once all that it causes is durable. An Idempotency-Key has one effect within 7 days.

    `team.*` goes to each confirmed member of the account, everything else to the contact.

    `calendar.booked` and `webinar.booked` with `starts_at` schedule the reminder, 24 hours before
    (the operator's REMINDER_HOURS). What is booked later than that gets none. The same `key` with
    another `starts_at` moves it, also where it was sent already; without `starts_at` it stays as it
    is. `calendar.cancelled` with the `key` takes it away. Its words, its sender and whether it is
    switched on are those of the moment at which it leaves.
    """
    answer = answer_once(_ENDPOINT, body.model_dump(), lambda: _judged(body), _take)
    return jsonify(answer), 202


def _judged(body: NewEvent) -> FiredEvent:
    asked = EventRequest(
        asset_id=read_id(body.asset_id) or 0,  # 0 is nobody's
        event=body.event,
        contact=body.contact.model_dump(exclude_none=True),
        variables=body.variables,
        starts_at=body.starts_at,
        key=body.key,
    )
    event, faults = judge_event(asked, installation().address_policy())
    if event is None:
        raise _refused(faults)
    return event


def _take(session: Session, event: FiredEvent) -> dict[str, Any]:
    try:
        ids = fire_event(session, installation(), api_account(), event)
    except EventRefused as refused:
        raise _refused([refused.fault]) from None
    return {"message_ids": [show_id(number) for number in ids]}


def _refused(faults: list[EventFault]) -> Exception:
    errors = [
        {"pointer": f"/{fault.field}", "code": fault.code, "detail": fault.message}
        for fault in faults
    ]
    first = faults[0]
    return refuse(422, "That event cannot be taken", first.message, code=first.code, errors=errors)
