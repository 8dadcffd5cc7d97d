"""What `/api/v1/messages` takes and answers."""

from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    TypeAdapter,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from kartramail.adapters.template_sandbox import MAX_SOURCE
from kartramail.api.json_values import JsonObject, Text
from kartramail.rules.streams import Stream

MOST = 1000
"""Messages in one request."""


def _null_is_transactional(value: Any) -> Any:
    return Stream.TRANSACTIONAL if value is None else value


class NewMessage(BaseModel):
    """One message. `subject`, `text` and `html` are Liquid templates, filled from `variables`.

    `sender_id` says who it comes from, else the default sender does. `asset_id` files it under that
    form, calendar or product in Activity; the senders chosen there are those of its notifications,
    which leave by `POST /events`.
    """

    model_config = ConfigDict(extra="forbid")

    to: str = Field(max_length=1000)
    subject: Text = Field(min_length=1, max_length=1000)
    text: Text | None = Field(default=None, max_length=MAX_SOURCE)
    html: Text | None = Field(default=None, max_length=MAX_SOURCE)
    stream: Annotated[Stream, BeforeValidator(_null_is_transactional)] = Stream.TRANSACTIONAL
    asset_id: str | None = None
    sender_id: str | None = None
    variables: JsonObject = Field(default_factory=dict)


class NewMessages(BaseModel):
    """Up to 1,000 messages: all are taken, or none."""

    model_config = ConfigDict(extra="forbid")

    messages: list[NewMessage] = Field(min_length=1, max_length=MOST)


class NewMessageOrMessages(BaseModel):
    """One message, or `{"messages": [...]}` with up to 1,000."""

    model_config = ConfigDict(extra="allow")

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """What the API's description says: the members of both, with their real bounds."""
        return handler(TypeAdapter(NewMessage | NewMessages).core_schema)


class MessagePath(BaseModel):
    """The id that was answered when the message was handed in."""

    message_id: str


class SenderAnswer(BaseModel):
    """Who the message comes from, and why."""

    name: str
    send_from: str
    reply_to: str | None
    why: str


class MessageAnswer(BaseModel):
    """A message that is in the outbox."""

    id: str
    state: str
    sender: SenderAnswer


class EventAnswer(BaseModel):
    """One thing that happened, with the mail server's own words."""

    kind: str
    at: str
    words: str
    server: str | None
    stage: str | None
    code: int | None


class ChainAnswer(BaseModel):
    """A place where a sender could be chosen, who is, and whether that decided."""

    place: str
    name: str | None
    send_from: str | None
    is_used: bool


class DecidedSenderAnswer(SenderAnswer):
    """The sender with every place that could have decided, in their order."""

    chain: list[ChainAnswer]


class PauseAnswer(BaseModel):
    """Since when the mail of that kind is paused, and who did it, where that is known."""

    since: str | None
    by: str | None


class ExplanationAnswer(BaseModel):
    """What keeps a message or went wrong with it, and what to do, as Activity says it."""

    problem: str
    advice: str
    paused: PauseAnswer | None = Field(
        description="Set where it waits because mail of its stream is paused: resume it in Activity"
    )


class MessageStory(BaseModel):
    """A message and what became of it."""

    id: str
    state: str
    type: str | None
    asset_id: str | None
    attempts: int
    to_domain: str
    erased: str | None = Field(
        description="Set where the address and the words are no longer kept, as a sentence."
    )
    explanation: ExplanationAnswer | None = Field(
        description="Set unless the message was accepted, cancelled or suppressed."
    )
    sender: DecidedSenderAnswer | None
    events: list[EventAnswer]
