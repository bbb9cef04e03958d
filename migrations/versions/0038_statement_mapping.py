"""How a platform's statements find their sitting

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("platforms", sa.Column("statement_mapping", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("platforms", "statement_mapping")
