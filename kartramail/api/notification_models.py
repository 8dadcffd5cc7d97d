"""What `/api/v1/assets` and `/api/v1/notifications` take and answer."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from kartramail.adapters.template_sandbox import MAX_SOURCE
from kartramail.api.json_values import Text, null_is_no
from kartramail.api.message_models import SenderAnswer
from kartramail.assets.wording import MAX_SUBJECT


class NewAsset(BaseModel):
    """A form, a calendar, a product …. `kind` is one of those that are listed."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(max_length=100, examples=["calendar"])
    name: str = Field(max_length=10_000)


class AssetQuery(BaseModel):
    """Which part of the list: at most `limit` items, from `cursor` on, of one `kind` or of all."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = None
    kind: str | None = Field(default=None, max_length=100)


class AssetPath(BaseModel):
    """The id that was answered when the asset was made."""

    asset_id: str


class AssetAnswer(BaseModel):
    """A thing that sends notifications."""

    id: str
    kind: str
    name: str


class AssetList(BaseModel):
    """Assets, the newest first; `next` is the cursor of the next part, null at the end."""

    items: list[AssetAnswer]
    next: str | None


class TypePath(BaseModel):
    """The notification type, such as `calendar.booked`."""

    type: str


class AssetTypePath(AssetPath, TypePath):
    """An asset, and one of the notifications that it sends."""


class NotificationChanges(BaseModel):
    """What is to change. What is left out stays; null returns to what is inherited.

    `subject`, `html` and `text` are Liquid templates. Where `html` is given and `text` is not, the
    text is made from the HTML. `accept_low_delivery` says that fewer messages may arrive, which is
    asked once for a sender whose domain is not authenticated.
    """

    model_config = ConfigDict(extra="forbid")

    enabled: StrictBool | None = None
    sender_id: str | None = None
    subject: Text | None = Field(default=None, max_length=MAX_SUBJECT)
    html: Text | None = Field(default=None, max_length=MAX_SOURCE)
    text: Text | None = Field(default=None, max_length=MAX_SOURCE)
    accept_low_delivery: Annotated[StrictBool, BeforeValidator(null_is_no)] = False


class VariableAnswer(BaseModel):
    """A variable that the templates can use; one that ends in `.*` opens every name below it."""

    name: str
    meaning: str
    example: Any


class NotificationAnswer(BaseModel):
    """A notification as it holds at this place.

    `subject`, `html` and `text` are the source; `text` null: it is made from the HTML. `inherited`
    names what is not set here. `why_fixed` says why no sender, `why_text_fixed` why no text can be
    chosen here, where that is so.
    """

    type: str
    title: str
    recipient: str
    category: str
    variables: list[VariableAnswer]
    may_override_sender: bool
    why_fixed: str | None
    may_override_text: bool
    why_text_fixed: str | None
    enabled: bool
    subject: str
    html: str | None
    text: str | None
    sender_id: str | None
    inherited: list[str]
    effective_sender: SenderAnswer


class NotificationList(BaseModel):
    """All notifications of this place, in one part: `next` is null."""

    items: list[NotificationAnswer]
    next: None
