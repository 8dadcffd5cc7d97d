"""Domains that accounts want to send from, their keys, and what was last seen of their records."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, Text, UniqueConstraint, text
from sqlmodel import JSON, Field, SQLModel

from kartramail.clock import now
from kartramail.column_types import IdType, StateType, UtcDateTime, id_field
from kartramail.rules.dns_records import RecordState


class DomainState(StrEnum):
    """Whether mail may be signed by the domain, and if not, why not."""

    PENDING = "pending"
    AUTHENTICATED = "authenticated"
    LOST = "lost"  # it was authenticated; then its records went away
    CLAIMED = "claimed"  # it was authenticated; then another account proved that it is theirs
    REMOVED = "removed"  # taken away; kept unseen for what its DMARC record asks of receivers


class SendingDomain(SQLModel, table=True):
    """A domain that an account wants to send from. Without an account it is the platform's own.

    `zone` is the DNS zone that its records go into. `report` is what the last check said of SPF,
    DMARC and the name servers, in the form of the API. `added_at` is when somebody added it on
    purpose, and empty while it is only there because an address on it was saved. `watched_at` is
    when somebody last looked at its page: checks are frequent then (R-CHECK).
    """

    __tablename__ = "sending_domain"
    __table_args__ = (
        UniqueConstraint("account_id", "domain"),
        Index(
            "uq_sending_domain_platform",
            "domain",
            unique=True,
            sqlite_where=text("account_id IS NULL"),
            postgresql_where=text("account_id IS NULL"),
        ),
        Index(
            "uq_sending_domain_authenticated",
            "domain",
            unique=True,
            sqlite_where=text("state = 'authenticated'"),
            postgresql_where=text("state = 'authenticated'"),
        ),
        Index(None, "next_check_at"),
        Index(None, "domain"),
    )

    id: int = id_field()
    account_id: int | None = Field(default=None, foreign_key="account.id", sa_type=IdType)
    domain: str = Field(max_length=255)
    zone: str = Field(max_length=255)
    state: DomainState = Field(default=DomainState.PENDING, sa_type=StateType(DomainState))
    dmarc_policy: str | None = Field(default=None, max_length=16)
    is_dkim_strict: bool = False
    is_spf_strict: bool = False
    signing_selector: str = Field(default="km1", max_length=63)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    added_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    authenticated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    lost_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    watched_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    checked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_check_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    rotated_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    report: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)


class DomainKey(SQLModel, table=True):
    """One key pair of a selector. The newest of a selector is the one that DNS should hold.

    An older one stays until the newer was seen in DNS (R-DKIM). `private_sealed` is encrypted with
    MASTER_KEYS and never leaves this table but into the signer.
    """

    __tablename__ = "domain_key"
    __table_args__ = (Index(None, "domain_id", "selector"),)

    id: int = id_field()
    domain_id: int = Field(foreign_key="sending_domain.id", ondelete="CASCADE", sa_type=IdType)
    selector: str = Field(max_length=63)
    public: str = Field(sa_type=Text)
    private_sealed: str = Field(sa_type=Text)
    created_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    seen_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DomainRecord(SQLModel, table=True):
    """What the last complete look said of one wanted record; `key` as in `WantedRecord`.

    `unreachable_at` is set while looks since then got no answer: the state stays what it was.
    """

    __tablename__ = "domain_record"

    domain_id: int = Field(
        foreign_key="sending_domain.id", ondelete="CASCADE", primary_key=True, sa_type=IdType
    )
    key: str = Field(primary_key=True, max_length=63)
    state: RecordState = Field(sa_type=StateType(RecordState))
    found: list[Any] = Field(default_factory=list, sa_type=JSON)
    problem: dict[str, Any] | None = Field(default=None, sa_type=JSON)
    since: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    checked_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    unreachable_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class DomainClaim(SQLModel, table=True):
    """Since when DNS says whose a domain is: older proofs of others ended then (R-CLAIM).

    `told_at` is empty until those whose mailboxes that ended were told.
    """

    __tablename__ = "domain_claim"
    __table_args__ = (
        Index(
            "ix_domain_claim_untold",
            "domain",
            sqlite_where=text("told_at IS NULL"),
            postgresql_where=text("told_at IS NULL"),
        ),
    )

    domain: str = Field(primary_key=True, max_length=255)
    account_id: int = Field(foreign_key="account.id", sa_type=IdType)
    claimed_at: datetime = Field(default_factory=now, sa_type=UtcDateTime)
    told_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
