"""Keep which challenge a photo was handed in for, and whether it came too late for it.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("challenge_id", sa.String(128), nullable=True))
    op.add_column(
        "snapshots", sa.Column("late", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    op.drop_column("snapshots", "late")
    op.drop_column("snapshots", "challenge_id")
