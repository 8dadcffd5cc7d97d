"""What is kept of a message after `MESSAGE_RETENTION_DAYS` (R-LOG)."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from kartramail.db import IdType, StateType, UtcDateTime
from kartramail.outbox.models import MessageState, SourceKind
from kartramail.rules.streams import Stream


class OldMessage(SQLModel, table=True):
    """A message that ended long ago: no address, no words, no variables."""

    __tablename__ = "old_message"

    id: int = Field(primary_key=True, sa_type=IdType, sa_column_kwargs={"autoincrement": False})
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    stream: Stream = Field(sa_type=StateType(Stream))
    state: MessageState = Field(sa_type=StateType(MessageState))
    source_kind: SourceKind = Field(sa_type=StateType(SourceKind))
    type: str | None = Field(default=None, max_length=64)
    asset_id: int | None = Field(default=None, sa_type=IdType)
    to_domain: str = Field(max_length=255)
    created_at: datetime = Field(sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    tries: int
    attempts: int
    resolved_id: int | None = Field(default=None, foreign_key="resolved_sender.id", sa_type=IdType)
