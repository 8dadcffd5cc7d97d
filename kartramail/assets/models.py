"""Things of an account that trigger notifications, and what was changed of those notifications."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlmodel import JSON, Field, SQLModel

from kartramail.clock import now
from kartramail.column_types import IdType, UtcDateTime, id_field

EVERYWHERE = 0
"""The asset number of a setting that holds for the whole account."""


class Asset(SQLModel, table=True):
    """A form, a calendar, a product …; `kind` is a key of `assets.kinds.KINDS`."""

    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        Index(None, "account_id", "kind", "id"),
    )

    id: int = id_field()
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    kind: str = Field(max_length=32)
    name: str = Field(max_length=200)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class NotificationSetting(SQLModel, table=True):
    """What was changed of one notification: everywhere (`asset_id` 0), or for one asset.

    A column that is NULL is inherited: the asset's from the account's, the account's from ours.
    `html` is the source as it was written, sanitised; `finished_html` is that as it is sent, and
    `html_text` the text made from it, so that no event waits for this work.
    """

    __tablename__ = "notification_setting"

    account_id: int = Field(foreign_key="account.id", primary_key=True, sa_type=IdType)
    asset_id: int = Field(primary_key=True, sa_type=IdType)
    type: str = Field(primary_key=True, max_length=64)
    enabled: bool | None = None
    subject: str | None = Field(default=None, sa_type=Text)
    html: str | None = Field(default=None, sa_type=Text)
    text: str | None = Field(default=None, sa_type=Text)
    finished_html: str | None = Field(default=None, sa_type=Text)
    html_text: str | None = Field(default=None, sa_type=Text)
    version: int = 0


class ScheduledEvent(SQLModel, table=True):
    """A notification that waits for its time, such as a reminder 24 h before (R-EVENT).

    `key` names the booking. `message_ids` are set, and `due_at` is emptied, when its time has come
    and it went into the outbox; the row stays until `starts_at`, so that it can still be cancelled.
    """

    __tablename__ = "scheduled_event"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "asset_id"], ["asset.account_id", "asset.id"]),
        UniqueConstraint("account_id", "asset_id", "type", "key"),
        Index(
            "ix_scheduled_event_due",
            "due_at",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(None, "starts_at"),
    )

    id: int = id_field()
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    asset_id: int = Field(sa_type=IdType)
    type: str = Field(max_length=64)
    key: str = Field(max_length=255)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    starts_at: datetime = Field(sa_type=UtcDateTime)
    contact: dict[str, Any] = Field(sa_type=JSON)
    variables: dict[str, Any] = Field(sa_type=JSON)
    message_ids: list[Any] = Field(default_factory=list, sa_type=JSON)
