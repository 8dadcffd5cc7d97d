"""How many messages a worker holds, by its own word

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("worker", sa.Column("held", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("worker", "held")
