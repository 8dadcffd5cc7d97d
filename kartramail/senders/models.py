"""Who an account's mail comes from: placeholders, senders, the gateway, proofs of mailboxes."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from kartramail.clock import now
from kartramail.column_types import IdType, StateType, UtcDateTime, id_field


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

    `from_key` is the send-from as mailbox proofs know it. A removed sender keeps its row: messages
    that wait still name it, and `replaced_by_id` says who they leave as (None: the default sender).
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
    removed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    replaced_by_id: int | None = Field(default=None, sa_type=IdType)


class ChoiceScope(StrEnum):
    """What a sender was chosen for: one thing of the account's, or a notification everywhere."""

    ASSET = "asset"
    NOTIFICATION = "notification"


class SenderChoice(SQLModel, table=True):
    """A sender chosen in the place of the default one (R-ASSET).

    `scope_id` is the asset's number, 0 for a notification everywhere; `type` the notification's.
    """

    __tablename__ = "sender_choice"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "sender_id"], ["sender.account_id", "sender.id"]),
        Index(None, "sender_id"),
    )

    account_id: int = Field(foreign_key="account.id", primary_key=True, sa_type=IdType)
    scope: ChoiceScope = Field(primary_key=True, sa_type=StateType(ChoiceScope))
    scope_id: int = Field(primary_key=True, sa_type=IdType)
    type: str = Field(primary_key=True, max_length=64)
    sender_id: int = Field(sa_type=IdType)


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
