"""Keep what became of a statement, so that a platform sees which of them reached no sitting.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("statements", sa.Column("fate", sa.String(128), nullable=True))
    op.create_index("ix_statements_fate", "statements", ["platform_id", "fate", "stored_ms"])


def downgrade() -> None:
    op.drop_index("ix_statements_fate", "statements")
    op.drop_column("statements", "fate")
