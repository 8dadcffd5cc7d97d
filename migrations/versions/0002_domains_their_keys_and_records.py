"""Domains, their keys and records

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

from kartramail.column_types import IdType, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "domain_claim",
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=False),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_domain_claim_account_id_account")
        ),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_domain_claim")),
    )
    with op.batch_alter_table("domain_claim", schema=None) as batch_op:
        batch_op.create_index(
            "ix_domain_claim_untold",
            ["domain"],
            unique=False,
            sqlite_where=sa.text("told_at IS NULL"),
            postgresql_where=sa.text("told_at IS NULL"),
        )

    op.create_table(
        "sending_domain",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=True),
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("zone", sa.String(255), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("dmarc_policy", sa.String(16), nullable=True),
        sa.Column("is_dkim_strict", sa.Boolean(), nullable=False),
        sa.Column("is_spf_strict", sa.Boolean(), nullable=False),
        sa.Column("signing_selector", sa.String(63), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=True),
        sa.Column("authenticated_at", UtcDateTime(), nullable=True),
        sa.Column("lost_since", UtcDateTime(), nullable=True),
        sa.Column("watched_at", UtcDateTime(), nullable=True),
        sa.Column("checked_at", UtcDateTime(), nullable=True),
        sa.Column("next_check_at", UtcDateTime(), nullable=False),
        sa.Column("rotated_at", UtcDateTime(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sending_domain_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sending_domain")),
        sa.UniqueConstraint(
            "account_id", "domain", name=op.f("uq_sending_domain_account_id_domain")
        ),
    )
    with op.batch_alter_table("sending_domain", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sending_domain_domain"), ["domain"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_sending_domain_next_check_at"), ["next_check_at"], unique=False
        )
        batch_op.create_index(
            "uq_sending_domain_authenticated",
            ["domain"],
            unique=True,
            sqlite_where=sa.text("state = 'authenticated'"),
            postgresql_where=sa.text("state = 'authenticated'"),
        )
        batch_op.create_index(
            "uq_sending_domain_platform",
            ["domain"],
            unique=True,
            sqlite_where=sa.text("account_id IS NULL"),
            postgresql_where=sa.text("account_id IS NULL"),
        )

    op.create_table(
        "domain_key",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("domain_id", IdType, nullable=False),
        sa.Column("selector", sa.String(63), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("private_sealed", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["domain_id"],
            ["sending_domain.id"],
            name=op.f("fk_domain_key_domain_id_sending_domain"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_domain_key")),
    )
    with op.batch_alter_table("domain_key", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_domain_key_domain_id_selector"), ["domain_id", "selector"], unique=False
        )

    op.create_table(
        "domain_record",
        sa.Column("domain_id", IdType, nullable=False),
        sa.Column("key", sa.String(63), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("problem", sa.JSON(), nullable=True),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("checked_at", UtcDateTime(), nullable=False),
        sa.Column("unreachable_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["domain_id"],
            ["sending_domain.id"],
            name=op.f("fk_domain_record_domain_id_sending_domain"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("domain_id", "key", name=op.f("pk_domain_record")),
    )


def downgrade() -> None:
    op.drop_table("domain_record")
    with op.batch_alter_table("domain_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_domain_key_domain_id_selector"))

    op.drop_table("domain_key")
    with op.batch_alter_table("sending_domain", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_sending_domain_platform",
            sqlite_where=sa.text("account_id IS NULL"),
            postgresql_where=sa.text("account_id IS NULL"),
        )
        batch_op.drop_index(
            "uq_sending_domain_authenticated",
            sqlite_where=sa.text("state = 'authenticated'"),
            postgresql_where=sa.text("state = 'authenticated'"),
        )
        batch_op.drop_index(batch_op.f("ix_sending_domain_next_check_at"))
        batch_op.drop_index(batch_op.f("ix_sending_domain_domain"))

    op.drop_table("sending_domain")
    with op.batch_alter_table("domain_claim", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_domain_claim_untold",
            sqlite_where=sa.text("told_at IS NULL"),
            postgresql_where=sa.text("told_at IS NULL"),
        )

    op.drop_table("domain_claim")
