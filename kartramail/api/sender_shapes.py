"""What `/api/v1/senders` takes and answers."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from kartramail.api.json_values import Text, null_is_no


class NewSender(BaseModel):
    """A sender under the rules of the form. Without a reply-to only the own temporary address."""

    model_config = ConfigDict(extra="forbid")

    name: Text = Field(max_length=10_000)
    send_from: Text = Field(max_length=10_000)
    reply_to: Text | None = Field(default=None, max_length=10_000)
    accept_low_delivery: Annotated[bool, BeforeValidator(null_is_no)] = False


class SenderChange(BaseModel):
    """What is to change; what is left out stays. `version` refuses to save over a newer one."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = Field(default=None, max_length=10_000)
    send_from: Text | None = Field(default=None, max_length=10_000)
    reply_to: Text | None = Field(default=None, max_length=10_000)
    accept_low_delivery: Annotated[bool, BeforeValidator(null_is_no)] = False
    version: int | None = None


class SenderPath(BaseModel):
    """The id that was answered when the sender was added."""

    sender_id: str


class Replacement(BaseModel):
    """The sender that takes the place of the one that is removed, with the tick it may ask for."""

    replacement: str | None = None
    accept_low_delivery: bool = False


class PageQuery(BaseModel):
    """Which part of a list: at most `limit` items, from `cursor` on, the newest first."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = None


class SavedSender(BaseModel):
    """A sender. `proof` is none, mailbox or domain, `domain_state` that of its send-from's domain.

    A message leaves as one whose proof is none only once there is some; see `POST /messages`.
    """

    id: str
    name: str
    send_from: str
    reply_to: str | None
    proof: str
    domain_state: str
    is_default: bool
    version: int


class SenderList(BaseModel):
    """Senders, the newest first; `next` is the cursor of the next part, null at the end."""

    items: list[SavedSender]
    next: str | None
