"""What is kept of a message after `MESSAGE_RETENTION_DAYS` (R-LOG)."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, any_, text
from sqlalchemy.dialects.postgresql import array
from sqlmodel import Field, Session, SQLModel, col, select

from kartramail.column_types import IdType, StateType, UtcDateTime
from kartramail.outbox.models import Message, MessageState, SourceKind
from kartramail.rules.streams import Stream


class OldMessage(SQLModel, table=True):
    """A message that ended long ago: no address, no words, no variables."""

    __tablename__ = "old_message"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index(
            "ix_old_message_test",
            "account_id",
            sqlite_where=text("source_kind = 'test'"),
            postgresql_where=text("source_kind = 'test'"),
        ),
    )

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


def find_old_message(session: Session, account_id: int, message_id: int) -> Message | None:
    """What is left of it as a message without address and words, which no session knows of."""
    old = session.exec(
        select(OldMessage).where(
            OldMessage.id == message_id,
            OldMessage.account_id == account_id,
        )
    ).first()
    if old is None:
        return None
    return Message(**old.model_dump(), expires_at=old.created_at, to_addr="", to_key="")


def has_old_messages(session: Session, account_id: int) -> bool:
    """Whether there are any that the account may know of."""
    found = session.exec(
        select(OldMessage.id)
        .where(_of_account(session, account_id), col(OldMessage.source_kind) != SourceKind.PLATFORM)
        .order_by(col(OldMessage.account_id), col(OldMessage.id))
        .limit(1)
    ).first()
    return found is not None


def _of_account(session: Session, account_id: int) -> Any:
    """As an array on PostgreSQL, for what is ordered by account and id.

    With a plain = it would read from the beginning of the table until it meets one of these, past
    those of all other accounts.
    """
    if session.connection().dialect.name == "postgresql":
        return col(OldMessage.account_id) == any_(array([account_id]))
    return OldMessage.account_id == account_id


def erased_words(days: int) -> str:
    """What has become of the rest of it, for people."""
    return f"Its address and words were erased after {days} {'day' if days == 1 else 'days'}."
