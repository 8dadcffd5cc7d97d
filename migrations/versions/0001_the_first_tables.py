"""The first tables

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op

from kartramail.column_types import IdType, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("business_name", sa.String(200), nullable=False),
        sa.Column("postal_address", sa.String(500), nullable=False),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.Column("onboarding_hidden_at", UtcDateTime(), nullable=True),
        sa.Column("deleted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
    )
    op.create_table(
        "failed_sign_in",
        sa.Column("email_key", sa.String(320), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("email_key", name=op.f("pk_failed_sign_in")),
    )
    op.create_table(
        "round",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_round")),
    )
    op.create_table(
        "user",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=False),
        sa.Column("full_name", sa.String(200), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("confirmed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user")),
        sa.UniqueConstraint("email_key", name=op.f("uq_user_email_key")),
    )
    op.create_table(
        "worker",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("host", sa.String(255), nullable=False),
        sa.Column("pid", sa.Integer(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("heartbeat_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
    )
    op.create_table(
        "api_key",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("hint", sa.String(16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", IdType, nullable=True),
        sa.Column("last_used_at", UtcDateTime(), nullable=True),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_api_key_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["user.id"], name=op.f("fk_api_key_created_by_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("hash", name=op.f("uq_api_key_hash")),
    )
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_key_account_id"), ["account_id"], unique=False)

    op.create_table(
        "content",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("html", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_content_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_content")),
        sa.UniqueConstraint("account_id", "hash", name=op.f("uq_content_account_id_hash")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_content_account_id_id")),
    )
    op.create_table(
        "history",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("user_id", IdType, nullable=True),
        sa.Column("what", sa.String(64), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_history_account_id_account")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_history_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history")),
    )
    with op.batch_alter_table("history", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_history_account_id"), ["account_id"], unique=False)

    op.create_table(
        "idempotency",
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("endpoint", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("response", sa.JSON(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_idempotency_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "endpoint", "key", name=op.f("pk_idempotency")),
    )
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idempotency_expires_at"), ["expires_at"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("email", sa.String(320), nullable=False),
        sa.Column("email_key", sa.String(320), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("invited_by", IdType, nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_invitation_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["user.id"], name=op.f("fk_invitation_invited_by_user")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint(
            "account_id", "email_key", name=op.f("uq_invitation_account_id_email_key")
        ),
    )
    op.create_table(
        "mailbox_proof",
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("address_key", sa.String(320), nullable=False),
        sa.Column("proven_at", UtcDateTime(), nullable=False),
        sa.Column("asked_again_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_mailbox_proof_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "address_key", name=op.f("pk_mailbox_proof")),
    )
    with op.batch_alter_table("mailbox_proof", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mailbox_proof_proven_at"), ["proven_at"], unique=False)

    op.create_table(
        "membership",
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("user_id", IdType, nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_membership_account_id_account")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_membership_user_id_user")),
        sa.PrimaryKeyConstraint("account_id", "user_id", name=op.f("pk_membership")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_user_id"), ["user_id"], unique=False)

    op.create_table(
        "one_time_token",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("account_id", IdType, nullable=True),
        sa.Column("user_id", IdType, nullable=True),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_one_time_token_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name=op.f("fk_one_time_token_user_id_user")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_one_time_token")),
    )
    with op.batch_alter_table("one_time_token", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_one_time_token_account_id"), ["account_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_one_time_token_user_id"), ["user_id"], unique=False)

    op.create_table(
        "placeholder",
        sa.Column("local", sa.String(64), nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("retired_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_placeholder_account_id_account")
        ),
        sa.PrimaryKeyConstraint("local", name=op.f("pk_placeholder")),
    )
    with op.batch_alter_table("placeholder", schema=None) as batch_op:
        batch_op.create_index(
            "uq_placeholder_of_account",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )

    op.create_table(
        "resolved_sender",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("send_from", sa.String(320), nullable=False),
        sa.Column("reply_to", sa.String(320), nullable=True),
        sa.Column("signing_domain", sa.String(255), nullable=True),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_resolved_sender_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resolved_sender")),
        sa.UniqueConstraint("account_id", "hash", name=op.f("uq_resolved_sender_account_id_hash")),
    )
    op.create_table(
        "sender",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("send_from", sa.String(320), nullable=False),
        sa.Column("from_key", sa.String(320), nullable=False),
        sa.Column("from_domain", sa.String(255), nullable=False),
        sa.Column("reply_to", sa.String(320), nullable=True),
        sa.Column("low_delivery_accepted_at", UtcDateTime(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sender_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sender")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_sender_account_id_id")),
    )
    op.create_table(
        "sign_in",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("user_id", IdType, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sign_in_account_id_account")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], name=op.f("fk_sign_in_user_id_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_user_id"), ["user_id"], unique=False)

    op.create_table(
        "gateway",
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("sender_id", IdType, nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("last_test_message_id", IdType, nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "sender_id"],
            ["sender.account_id", "sender.id"],
            name=op.f("fk_gateway_account_id_sender_id_sender"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_gateway_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_gateway")),
    )
    op.create_table(
        "message",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("stream", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("worker_id", IdType, nullable=True),
        sa.Column("source_kind", sa.String(32), nullable=False),
        sa.Column("type", sa.String(64), nullable=True),
        sa.Column("content_id", IdType, nullable=True),
        sa.Column("template", sa.String(64), nullable=True),
        sa.Column("sender_id", IdType, nullable=True),
        sa.Column("to_addr", sa.String(320), nullable=False),
        sa.Column("to_key", sa.String(320), nullable=False),
        sa.Column("to_domain", sa.String(255), nullable=False),
        sa.Column("variables", sa.JSON(), nullable=True),
        sa.Column("resolved_id", IdType, nullable=True),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.Column("server", sa.String(255), nullable=True),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "content_id"],
            ["content.account_id", "content.id"],
            name=op.f("fk_message_account_id_content_id_content"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_message_account_id_account")
        ),
        sa.ForeignKeyConstraint(
            ["resolved_id"],
            ["resolved_sender.id"],
            name=op.f("fk_message_resolved_id_resolved_sender"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_message_account_id_id"), ["account_id", "id"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_message_account_id_to_key_id"),
            ["account_id", "to_key", "id"],
            unique=False,
        )
        batch_op.create_index(
            "ix_message_due",
            ["stream", "due_at", "id"],
            unique=False,
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_message_held",
            ["worker_id"],
            unique=False,
            sqlite_where=sa.text("worker_id IS NOT NULL"),
            postgresql_where=sa.text("worker_id IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_message_test",
            ["account_id", "id"],
            unique=False,
            sqlite_where=sa.text("source_kind = 'test'"),
            postgresql_where=sa.text("source_kind = 'test'"),
        )

    op.create_table(
        "attempt",
        sa.Column("message_id", IdType, nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(16), nullable=False),
        sa.Column("code", sa.Integer(), nullable=True),
        sa.Column("reply", sa.Text(), nullable=False),
        sa.Column("server", sa.String(255), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_attempt_message_id_message")
        ),
        sa.PrimaryKeyConstraint("message_id", "n", name=op.f("pk_attempt")),
    )
    op.create_table(
        "event",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("message_id", IdType, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_event_message_id_message")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_event_message_id_id"), ["message_id", "id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_message_id_id"))

    op.drop_table("event")
    op.drop_table("attempt")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_message_test",
            sqlite_where=sa.text("source_kind = 'test'"),
            postgresql_where=sa.text("source_kind = 'test'"),
        )
        batch_op.drop_index(
            "ix_message_held",
            sqlite_where=sa.text("worker_id IS NOT NULL"),
            postgresql_where=sa.text("worker_id IS NOT NULL"),
        )
        batch_op.drop_index(
            "ix_message_due",
            sqlite_where=sa.text("due_at IS NOT NULL"),
            postgresql_where=sa.text("due_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_message_account_id_to_key_id"))
        batch_op.drop_index(batch_op.f("ix_message_account_id_id"))

    op.drop_table("message")
    op.drop_table("gateway")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_user_id"))

    op.drop_table("sign_in")
    op.drop_table("sender")
    op.drop_table("resolved_sender")
    with op.batch_alter_table("placeholder", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_placeholder_of_account",
            sqlite_where=sa.text("retired_at IS NULL"),
            postgresql_where=sa.text("retired_at IS NULL"),
        )

    op.drop_table("placeholder")
    with op.batch_alter_table("one_time_token", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_one_time_token_user_id"))
        batch_op.drop_index(batch_op.f("ix_one_time_token_account_id"))

    op.drop_table("one_time_token")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_user_id"))

    op.drop_table("membership")
    with op.batch_alter_table("mailbox_proof", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mailbox_proof_proven_at"))

    op.drop_table("mailbox_proof")
    op.drop_table("invitation")
    with op.batch_alter_table("idempotency", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idempotency_expires_at"))

    op.drop_table("idempotency")
    with op.batch_alter_table("history", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_history_account_id"))

    op.drop_table("history")
    op.drop_table("content")
    with op.batch_alter_table("api_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_key_account_id"))

    op.drop_table("api_key")
    op.drop_table("worker")
    op.drop_table("user")
    op.drop_table("round")
    op.drop_table("failed_sign_in")
    op.drop_table("account")
