"""The outbox: the durable queue of messages, and what became of each."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index, String, Text, UniqueConstraint, case, text
from sqlmodel import JSON, Field, SQLModel, col

from kartramail.clock import now
from kartramail.column_types import IdType, StateType, UtcDateTime, id_field
from kartramail.rules.streams import Stream


class MessageState(StrEnum):
    """Where a message stands; the words of the API."""

    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


class SourceKind(StrEnum):
    """What made a message. Mail of the platform itself is never readable by an account (R-LOG)."""

    PLATFORM = "platform"
    TEST = "test"
    SAMPLE = "sample"
    API = "api"
    NOTIFICATION = "notification"


PLATFORM_SOURCES = frozenset({SourceKind.PLATFORM, SourceKind.TEST})
"""What leaves as the platform itself: by its sender, and in its lane, never held, never limited."""


class EventKind(StrEnum):
    """What happened to a message."""

    QUEUED = "queued"
    SENT = "sent"
    DEFERRED = "deferred"
    BOUNCED = "bounced"
    FAILED = "failed"
    RECLAIMED = "reclaimed"
    CANCELLED = "cancelled"
    DELAYED = "delayed"


class LaneState(StrEnum):
    """Whether a lane's messages leave."""

    OPEN = "open"
    HELD = "held"


class Lane(SQLModel, table=True):
    """What one source of an account sends in one stream: the unit of turns, limits and pauses.

    A million messages are held by one update here. `weight` is the share among lanes that wait
    (R-FAIR). The lane of the source "platform" is never held and never limited.
    """

    __table_args__ = (UniqueConstraint("account_id", "stream", "source"),)

    id: int = id_field()
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    stream: Stream = Field(sa_type=StateType(Stream))
    source: str = Field(max_length=64)
    weight: int = 1
    state: LaneState = Field(default=LaneState.OPEN, sa_type=StateType(LaneState))
    held_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class SendingDay(SQLModel, table=True):
    """How many messages of a stream an account began to send on a day (UTC), for its daily limit.

    The days before today are what the warm-up of an account is counted by.
    """

    __tablename__ = "sending_day"

    account_id: int = Field(foreign_key="account.id", primary_key=True, sa_type=IdType)
    stream: Stream = Field(primary_key=True, sa_type=StateType(Stream))
    day: date = Field(primary_key=True)
    count: int = 0


class SendingLimit(SQLModel, table=True):
    """What the operator lets an account send in a day, in each stream, instead of its warm-up."""

    __tablename__ = "sending_limit"

    account_id: int = Field(foreign_key="account.id", primary_key=True, sa_type=IdType)
    per_day: int


class Content(SQLModel, table=True):
    """Words as they were handed in, templates unrendered: once a source, not once a message."""

    __table_args__ = (
        UniqueConstraint("account_id", "hash"),
        UniqueConstraint("account_id", "id"),
    )

    id: int = id_field()
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    hash: str = Field(max_length=64)
    subject: str = Field(sa_type=Text)
    text: str | None = Field(default=None, sa_type=Text)
    html: str | None = Field(default=None, sa_type=Text)


class ResolvedSender(SQLModel, table=True):
    """An answer of resolution, said once and referred to by every message that it was given for.

    `why` is its code and one sentence, `chain` every place that could have decided, in order, as
    `messages.resolution.Step` says it.
    """

    __tablename__ = "resolved_sender"
    __table_args__ = (UniqueConstraint("account_id", "hash"),)

    id: int = id_field()
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    hash: str = Field(max_length=64)
    name: str = Field(max_length=200)
    send_from: str = Field(max_length=320)
    reply_to: str | None = Field(default=None, max_length=320)
    signing_domain: str | None = Field(default=None, max_length=255)
    why: list[Any] = Field(sa_type=JSON)
    chain: list[Any] = Field(
        default_factory=list, sa_type=JSON, sa_column_kwargs={"server_default": "[]"}
    )


IN_TROUBLE = "state IN ('deferred', 'bounced', 'failed', 'suppressed', 'cancelled')"
"""What somebody looks for among very many messages. SQLite uses the index only for these words."""


WAITS_AGAIN = "due_at IS NOT NULL AND tries + deaths > 0"
"""What waits and costs no place in the day, as it was counted before. SQLite's words again."""


AddressKeyType = String(320, collation="C").with_variant(String(320), "sqlite")
"""Compared byte by byte on every database, so that the index finds what begins with something."""


class Message(SQLModel, table=True):
    """One message to one recipient.

    `due_at` is set while the message waits and empty while a worker holds it and after its end, so
    that the index of what waits is as small as the queue. `tries` counts hand-overs to a mail
    server, `deaths` the workers that died while they held it, `attempts` what R-RETRY counts
    (MAIL FROM was begun, or a worker died with it). `counted_on` is set by each claim: the day in
    whose count of its account the row stands (`SendingDay`), empty where it has no limit.
    """

    __table_args__ = (
        ForeignKeyConstraint(["account_id", "content_id"], ["content.account_id", "content.id"]),
        Index(
            "ix_message_due",
            "lane_id",
            "due_at",
            "id",
            sqlite_where=text("due_at IS NOT NULL"),
            postgresql_where=text("due_at IS NOT NULL"),
        ),
        Index(
            "ix_message_again",
            "lane_id",
            "due_at",
            "id",
            sqlite_where=text(WAITS_AGAIN),
            postgresql_where=text(WAITS_AGAIN),
        ),
        Index(
            "ix_message_held",
            "worker_id",
            sqlite_where=text("worker_id IS NOT NULL"),
            postgresql_where=text("worker_id IS NOT NULL"),
        ),
        Index(
            "ix_message_test",
            "account_id",
            "id",
            sqlite_where=text("source_kind = 'test'"),
            postgresql_where=text("source_kind = 'test'"),
        ),
        Index(
            "ix_message_asset",
            "account_id",
            "asset_id",
            "id",
            sqlite_where=text("asset_id IS NOT NULL"),
            postgresql_where=text("asset_id IS NOT NULL"),
        ),
        Index(
            "ix_message_trouble",
            "account_id",
            "id",
            sqlite_where=text(IN_TROUBLE),
            postgresql_where=text(IN_TROUBLE),
        ),
        Index(  # whether anything refers to a content, for its foreign key and for retention
            "ix_message_content",
            "content_id",
            sqlite_where=text("content_id IS NOT NULL"),
            postgresql_where=text("content_id IS NOT NULL"),
        ),
        Index(None, "account_id", "id"),
        Index(None, "account_id", "to_key", "id"),
    )

    id: int = id_field()
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    # No foreign key: lanes are never deleted, and a row without one (0) still leaves.
    lane_id: int = Field(default=0, sa_type=IdType, sa_column_kwargs={"server_default": "0"})
    stream: Stream = Field(sa_type=StateType(Stream))
    state: MessageState = Field(sa_type=StateType(MessageState))
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    tries: int = 0
    attempts: int = 0
    deaths: int = 0
    worker_id: int | None = Field(default=None, sa_type=IdType)
    counted_on: date | None = None
    source_kind: SourceKind = Field(sa_type=StateType(SourceKind))
    type: str | None = Field(default=None, max_length=64)
    asset_id: int | None = Field(default=None, sa_type=IdType)
    content_id: int | None = Field(default=None, sa_type=IdType)
    template: str | None = Field(default=None, max_length=64)
    sender_id: int | None = Field(default=None, sa_type=IdType)
    to_addr: str = Field(max_length=320)
    to_key: str = Field(max_length=320, sa_type=AddressKeyType)
    to_domain: str = Field(max_length=255)
    variables: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    resolved_id: int | None = Field(default=None, foreign_key="resolved_sender.id", sa_type=IdType)
    reply: str | None = Field(default=None, sa_type=Text)
    server: str | None = Field(default=None, max_length=255)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


VARIABLES_AFTER_THE_END: Any = case((col(Message.template).is_(None), col(Message.variables)))
"""The platform's own mails carry links in their variables: nobody needs them any more."""


class Attempt(SQLModel, table=True):
    """One try that did not end in acceptance at once, with the server's own words (R-RETRY)."""

    message_id: int = Field(foreign_key="message.id", primary_key=True, sa_type=IdType)
    n: int = Field(primary_key=True)
    stage: str = Field(max_length=16)
    code: int | None = None
    reply: str = Field(sa_type=Text)
    server: str = Field(max_length=255)
    at: datetime = Field(sa_type=UtcDateTime)


class Event(SQLModel, table=True):
    """What happened to a message, for people to read."""

    __table_args__ = (Index(None, "message_id", "id"),)

    id: int = id_field()
    message_id: int = Field(foreign_key="message.id", sa_type=IdType)
    kind: EventKind = Field(sa_type=StateType(EventKind))
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    detail: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class Idempotency(SQLModel, table=True):
    """What was answered under an Idempotency-Key, for seven days."""

    account_id: int = Field(foreign_key="account.id", primary_key=True, sa_type=IdType)
    endpoint: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, max_length=255)
    request_hash: str = Field(max_length=64)
    response: dict[str, Any] = Field(sa_type=JSON)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)


class Worker(SQLModel, table=True):
    """A delivery process. A lease is the worker's, kept by its heartbeat, and not the row's.

    `held` is how many messages it had in its hands at its last heartbeat.
    """

    id: int = id_field()
    host: str = Field(max_length=255)
    pid: int
    started_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    heartbeat_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    held: int = Field(default=0, sa_column_kwargs={"server_default": "0"})


class RoundState(SQLModel, table=True):
    """When a round is due next, and until when somebody is busy with it."""

    __tablename__ = "round"

    name: str = Field(primary_key=True, max_length=64)
    due_at: datetime = Field(sa_type=UtcDateTime)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
