"""Since when and until when a learner is in a class

Revision ID: 0024
Revises: 0023
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("first_on", "last_on", "ended_by"):
        op.add_column("enrolments", sa.Column(name, sa.String(length=128), nullable=True))
    op.add_column("enrolments", sa.Column("moved_from", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in ("moved_from", "ended_by", "last_on", "first_on"):
        op.drop_column("enrolments", name)
