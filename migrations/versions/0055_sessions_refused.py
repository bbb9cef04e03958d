"""How many events came for a sitting that was over, and when last

Revision ID: 0055
Revises: 0054
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0055"
down_revision = "0054"
branch_labels = None
depends_on = None


def upgrade() -> None:
    count = sa.Column("refused_count", sa.Integer(), nullable=False, server_default="0")
    op.add_column("sessions", count)
    op.add_column("sessions", sa.Column("refused_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("sessions", "refused_ms")
    op.drop_column("sessions", "refused_count")
