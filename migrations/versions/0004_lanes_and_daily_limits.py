"""Lanes of the queue, and how much an account may send in a day

Every message belongs to a lane: of its account, stream and source. What is there already is put
into lanes by what it is. On the way down lanes are forgotten; what they held back leaves.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

from kartramail.column_types import IdType, UtcDateTime
from kartramail.ids import new_id

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_WAITS = "due_at IS NOT NULL"


def upgrade() -> None:
    op.create_table(
        "lane",
        sa.Column("id", IdType, autoincrement=False, nullable=False),
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("stream", sa.String(32), nullable=False),
        sa.Column("source", sa.String(64), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("held_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_lane_account_id_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane")),
        sa.UniqueConstraint(
            "account_id", "stream", "source", name=op.f("uq_lane_account_id_stream_source")
        ),
    )
    op.create_table(
        "sending_day",
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("stream", sa.String(32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sending_day_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", "stream", "day", name=op.f("pk_sending_day")),
    )
    op.create_table(
        "sending_limit",
        sa.Column("account_id", IdType, nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["account.id"], name=op.f("fk_sending_limit_account_id_account")
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_sending_limit")),
    )
    op.add_column("message", sa.Column("lane_id", IdType, server_default="0", nullable=False))
    _make_lanes()
    op.drop_index("ix_message_due", table_name="message")
    _index_what_waits("lane_id")
    if op.get_bind().dialect.name == "postgresql":
        # What a worker claims leaves dead entries at the head of its lane: clean up after 20,000.
        op.execute(
            "ALTER TABLE message SET (autovacuum_vacuum_scale_factor = 0, "
            "autovacuum_vacuum_threshold = 20000, autovacuum_vacuum_cost_delay = 0)"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE message RESET (autovacuum_vacuum_scale_factor, "
            "autovacuum_vacuum_threshold, autovacuum_vacuum_cost_delay)"
        )
    op.drop_index("ix_message_due", table_name="message")
    _index_what_waits("stream")
    op.drop_column("message", "lane_id")
    op.drop_table("sending_limit")
    op.drop_table("sending_day")
    op.drop_table("lane")


def _index_what_waits(first: str) -> None:
    op.create_index(
        "ix_message_due",
        "message",
        [first, "due_at", "id"],
        unique=False,
        sqlite_where=sa.text(_WAITS),
        postgresql_where=sa.text(_WAITS),
    )


def _make_lanes() -> None:
    """A lane for each account, stream and source that has messages, and its messages into it."""
    connection = op.get_bind()
    source = "CASE WHEN source_kind IN ('platform', 'test') THEN 'platform' ELSE 'mail' END"
    found = connection.execute(
        sa.text(f"SELECT DISTINCT account_id, stream, {source} AS source FROM message")
    ).all()
    for account_id, stream, name in found:
        values = {"id": new_id(), "account": account_id, "stream": stream, "source": name}
        connection.execute(
            sa.text(
                "INSERT INTO lane (id, account_id, stream, source, weight, state) "
                "VALUES (:id, :account, :stream, :source, 1, 'open')"
            ),
            values,
        )
        connection.execute(
            sa.text(
                "UPDATE message SET lane_id = :id WHERE account_id = :account "
                f"AND stream = :stream AND {source} = :source"
            ),
            values,
        )
