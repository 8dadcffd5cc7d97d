"""What waits and was tried before, by itself: it leaves also where a daily limit is reached

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_AGAIN = "due_at IS NOT NULL AND tries + deaths > 0"


def upgrade() -> None:
    op.create_index(
        "ix_message_again",
        "message",
        ["lane_id", "due_at", "id"],
        sqlite_where=sa.text(_AGAIN),
        postgresql_where=sa.text(_AGAIN),
    )


def downgrade() -> None:
    op.drop_index("ix_message_again", "message")
