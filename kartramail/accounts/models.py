"""Accounts, the people in them, and what lets them in."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import JSON, Field, SQLModel

from kartramail.clock import now
from kartramail.column_types import IdType, StateType, UtcDateTime, id_field


class Role(StrEnum):
    """What a person may do in an account: a member everything but the team and the account."""

    OWNER = "owner"
    MEMBER = "member"


class TokenPurpose(StrEnum):
    """What a link in a mail is for."""

    CONFIRM_SIGNUP = "confirm_signup"
    RESET_PASSWORD = "reset_password"  # noqa: S105 a name, not a secret
    JOIN_TEAM = "join_team"
    PROVE_MAILBOX = "prove_mailbox"


class Account(SQLModel, table=True):
    """One business on the platform. Until `confirmed_at`, only our own mail leaves for it."""

    id: int = id_field()
    business_name: str = Field(max_length=200)
    postal_address: str = Field(default="", max_length=500)
    time_zone: str = Field(default="UTC", max_length=64)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    onboarding_hidden_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    version: int = 1


class User(SQLModel, table=True):
    """One person, known by their address."""

    id: int = id_field()
    email: str = Field(max_length=320)
    email_key: str = Field(max_length=320, unique=True)
    full_name: str = Field(max_length=200)
    password_hash: str = Field(max_length=200)
    is_operator: bool = False
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    confirmed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Membership(SQLModel, table=True):
    """A person's place in an account."""

    account_id: int = Field(foreign_key="account.id", primary_key=True, sa_type=IdType)
    user_id: int = Field(foreign_key="user.id", primary_key=True, sa_type=IdType, index=True)
    role: Role = Field(sa_type=StateType(Role))
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class Invitation(SQLModel, table=True):
    """Somebody was asked to join an account and has not come yet. The link is a OneTimeToken."""

    __table_args__ = (UniqueConstraint("account_id", "email_key"),)

    id: int = id_field()
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    email: str = Field(max_length=320)
    email_key: str = Field(max_length=320)
    role: Role = Field(sa_type=StateType(Role))
    invited_by: int = Field(foreign_key="user.id", sa_type=IdType)
    sent_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)


class SignIn(SQLModel, table=True):
    """One browser of one person, signed in. The cookie names this row, so that log-out is real.

    `account_id` is the account that this browser looks at now.
    """

    __tablename__ = "sign_in"

    id: int = id_field()
    user_id: int = Field(foreign_key="user.id", sa_type=IdType, index=True)
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class OneTimeToken(SQLModel, table=True):
    """A link that works once. Only the hash is kept: who reads the database cannot follow it."""

    __tablename__ = "one_time_token"

    hash: str = Field(primary_key=True, max_length=64)
    purpose: TokenPurpose = Field(sa_type=StateType(TokenPurpose))
    account_id: int | None = Field(
        default=None, foreign_key="account.id", sa_type=IdType, index=True
    )
    user_id: int | None = Field(default=None, foreign_key="user.id", sa_type=IdType, index=True)
    address: str = Field(max_length=320)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ApiKey(SQLModel, table=True):
    """A key for programs. Shown once, kept as a hash; `hint` is its beginning."""

    __tablename__ = "api_key"

    id: int = id_field()
    hash: str = Field(unique=True, max_length=64)
    account_id: int = Field(foreign_key="account.id", sa_type=IdType, index=True)
    name: str = Field(max_length=100)
    hint: str = Field(max_length=16)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    created_by: int | None = Field(default=None, foreign_key="user.id", sa_type=IdType)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class History(SQLModel, table=True):
    """Who changed what, and when (R-SAVE). `user_id` is empty where a program or command did."""

    id: int = id_field()
    account_id: int = Field(foreign_key="account.id", sa_type=IdType, index=True)
    at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    user_id: int | None = Field(default=None, foreign_key="user.id", sa_type=IdType)
    what: str = Field(max_length=64)
    before: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    after: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class FailedSignIn(SQLModel, table=True):
    """Wrong passwords for one address, counted where every web process sees them."""

    __tablename__ = "failed_sign_in"

    email_key: str = Field(primary_key=True, max_length=320)
    count: int = 0
    last_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
