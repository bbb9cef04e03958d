"""Tell services of one database when what they remember of a sitting is old

Revision ID: 0056
Revises: 0055
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0056"
down_revision = "0055"
branch_labels = None
depends_on = None


def upgrade() -> None:
    version = sa.Column("evidence_version", sa.Integer(), nullable=False, server_default="0")
    op.add_column("sessions", version)


def downgrade() -> None:
    op.drop_column("sessions", "evidence_version")
