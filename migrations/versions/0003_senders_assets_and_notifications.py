"""Senders, assets and notifications

No table that others refer to is made anew: SQLite would refuse to drop the old one while rows of
others refer to it. So columns are added and dropped in place (SQLite from 3.35), not in a batch.

On the way down, what only 0003 knows is lost: assets, changed notifications, senders chosen for
them, and reminders whose time has not come. Notifications that were sent or wait stay, as messages
of the API; those that wait leave as the sender they name, else as the default one. That a message
was cancelled stays its state, when it was is lost. Removed senders are deleted, as 0002 would show
them as usable ones; what waits under one leaves as the one that took its place. Going up again
brings none of that back.

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

from kartramail.column_types import IdType, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ASSET_GIVEN = "asset_id IS NOT NULL"
_IN_TROUBLE = "state IN ('deferred', 'bounced', 'failed', 'suppressed', 'cancelled')"


def upgrade() -> None:
    op.create_table(
        "asset",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_asset_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_asset_account_id_id")),
    )
    with op.batch_alter_table("asset", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_asset_account_id_kind_id"), ["account_id", "kind", "id"], unique=False
        )

    op.create_table(
        "notification_setting",
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("asset_id", IdType, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=True),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("finished_html", sa.Text(), nullable=True),
        sa.Column("html_text", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_notification_setting_account_id_account")
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "asset_id", "type", name=op.f("pk_notification_setting")
        ),
    )
    op.create_table(
        "scheduled_event",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("asset_id", IdType, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("contact", sa.JSON(), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=False),
        sa.Column("message_ids", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "asset_id"],
            ["asset.account_id", "asset.id"],
            name=op.f("fk_scheduled_event_account_id_asset_id_asset"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_scheduled_event_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scheduled_event")),
        sa.UniqueConstraint(
            "account_id",
            "asset_id",
            "type",
            "key",
            name=op.f("uq_scheduled_event_account_id_asset_id_type_key"),
        ),
    )
    with op.batch_alter_table("scheduled_event", schema=None) as batch_op:
        batch_op.create_index(
            "ix_scheduled_event_due",
            ["due_at"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(
            batch_op.f("ix_scheduled_event_starts_at"), ["starts_at"], unique=False
        )

    op.create_table(
        "sender_choice",
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.Column("scope_id", IdType, nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("sender_id", IdType, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "sender_id"],
            ["sender.account_id", "sender.id"],
            name=op.f("fk_sender_choice_account_id_sender_id_sender"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sender_choice_account_id_account")
        ),
        sa.PrimaryKeyConstraint(
            "account_id", "scope", "scope_id", "type", name=op.f("pk_sender_choice")
        ),
    )
    with op.batch_alter_table("sender_choice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sender_choice_sender_id"), ["sender_id"], unique=False)

    op.add_column("message", sa.Column("asset_id", IdType, nullable=True))
    op.create_index(
        "ix_message_asset",
        "message",
        ["account_id", "asset_id", "id"],
        sqlite_where=sa.text(_ASSET_GIVEN),
        postgresql_where=sa.text(_ASSET_GIVEN),
    )
    op.create_index(
        "ix_message_trouble",
        "message",
        ["account_id", "id"],
        sqlite_where=sa.text(_IN_TROUBLE),
        postgresql_where=sa.text(_IN_TROUBLE),
    )
    if op.get_bind().dialect.name == "postgresql":  # SQLite compares byte by byte anyway
        op.alter_column("message", "to_key", type_=sa.String(320, collation="C"))
    op.add_column(
        "resolved_sender", sa.Column("chain", sa.JSON(), server_default="[]", nullable=False)
    )
    op.add_column("sender", sa.Column("removed_at", UtcDateTime(), nullable=True))
    op.add_column("sender", sa.Column("replaced_by_id", IdType, nullable=True))


def downgrade() -> None:
    # With each table go its indexes. These first: they refer to senders, and one to assets.
    op.drop_table("sender_choice")
    op.drop_table("scheduled_event")
    op.drop_table("notification_setting")
    op.drop_table("asset")

    _forget_what_0002_cannot_read()

    op.drop_column("sender", "replaced_by_id")
    op.drop_column("sender", "removed_at")
    op.drop_column("resolved_sender", "chain")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("message", "to_key", type_=sa.String(320, collation="default"))
    op.drop_index("ix_message_trouble", "message")
    op.drop_index("ix_message_asset", "message")
    op.drop_column("message", "asset_id")


def _forget_what_0002_cannot_read() -> None:
    op.execute("UPDATE message SET source_kind = 'api' WHERE source_kind = 'notification'")
    op.execute(
        "DELETE FROM event WHERE kind NOT IN "
        "('queued', 'sent', 'deferred', 'bounced', 'failed', 'reclaimed')"
    )
    op.execute(
        "UPDATE message SET sender_id = "
        "(SELECT replaced_by_id FROM sender WHERE sender.id = message.sender_id) "
        "WHERE (due_at IS NOT NULL OR worker_id IS NOT NULL) "
        "AND sender_id IN (SELECT id FROM sender WHERE removed_at IS NOT NULL)"
    )
    # The default sender is never removed; if one were, its account would need it still.
    op.execute(
        "DELETE FROM sender WHERE removed_at IS NOT NULL "
        "AND id NOT IN (SELECT sender_id FROM gateway)"
    )
