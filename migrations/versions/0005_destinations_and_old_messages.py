"""Recipient domains that are slow or closed, and what is kept of old messages

On the way down, what was moved out of `message` is lost: its addresses and words are gone already.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from kartramail.column_types import IdType, UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "destination",
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("closed_until", UtcDateTime(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_destination")),
    )
    op.create_table(
        "old_message",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("stream", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("source_kind", sa.String(32), nullable=False),
        sa.Column("type", sa.String(64), nullable=True),
        sa.Column("asset_id", IdType, nullable=True),
        sa.Column("to_domain", sa.String(255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("resolved_id", IdType, nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_old_message_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["resolved_id"],
            ["resolved_sender.id"],
            name=op.f("fk_old_message_resolved_id_resolved_sender"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_old_message")),
    )
    op.create_index("ix_old_message_account_id_id", "old_message", ["account_id", "id"])
    op.create_index(
        "ix_old_message_test",
        "old_message",
        ["account_id"],
        sqlite_where=sa.text("source_kind = 'test'"),
        postgresql_where=sa.text("source_kind = 'test'"),
    )
    op.create_index(
        "ix_message_content",
        "message",
        ["content_id"],
        sqlite_where=sa.text("content_id IS NOT NULL"),
        postgresql_where=sa.text("content_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_message_content", "message")
    op.drop_table("old_message")
    op.drop_table("destination")
