"""Who an account's mail comes from: placeholders, senders, the gateway, proofs of mailboxes."""

from datetime import datetime

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from kartramail.clock import now
from kartramail.db import IdType, UtcDateTime, id_field


class Placeholder(SQLModel, table=True):
    """A generated address on the platform domain. Never deleted, never given to another.

    An account has one that is not retired. One is retired only where a later sign-up under another
    business name replaces an unconfirmed one.
    """

    __table_args__ = (
        Index(
            "uq_placeholder_of_account",
            "account_id",
            unique=True,
            sqlite_where=text("retired_at IS NULL"),
            postgresql_where=text("retired_at IS NULL"),
        ),
    )

    local: str = Field(primary_key=True, max_length=64)
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Sender(SQLModel, table=True):
    """Name, send-from and reply-to as they are wanted; what is really used, resolution decides.

    `from_key` is the send-from as mailbox proofs know it.
    """

    __table_args__ = (UniqueConstraint("account_id", "id"),)

    id: int = id_field()
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    name: str = Field(max_length=64)
    send_from: str = Field(max_length=320)
    from_key: str = Field(max_length=320)
    from_domain: str = Field(max_length=255)
    reply_to: str | None = Field(default=None, max_length=320)
    low_delivery_accepted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class Gateway(SQLModel, table=True):
    """The account's KartraMail configuration: its default sender, and whether it is active."""

    __table_args__ = (
        ForeignKeyConstraint(["account_id", "sender_id"], ["sender.account_id", "sender.id"]),
    )

    account_id: int = Field(foreign_key="account.id", primary_key=True, sa_type=IdType)
    sender_id: int = Field(sa_type=IdType)
    is_active: bool = True
    last_test_message_id: int | None = Field(default=None, sa_type=IdType)
    version: int = 1


class MailboxProof(SQLModel, table=True):
    """Somebody with access to the mailbox followed the link sent to it (R-PROOF)."""

    __tablename__ = "mailbox_proof"
    __table_args__ = (Index(None, "proven_at"),)

    account_id: int = Field(foreign_key="account.id", primary_key=True, sa_type=IdType)
    address_key: str = Field(primary_key=True, max_length=320)
    proven_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    asked_again_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
