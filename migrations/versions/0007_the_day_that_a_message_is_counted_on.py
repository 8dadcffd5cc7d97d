"""Each message knows in which day's count of its account it stands

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("counted_on", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("message", "counted_on")
