"""Which full-time teachers an institution has on file, and whether it is a vocational school

Revision ID: 0047
Revises: 0046
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0047"
down_revision = "0046"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("institutions", sa.Column("teachers", sa.JSON(), nullable=True))
    op.add_column("institutions", sa.Column("vocational_school", sa.Boolean(), nullable=True))


def downgrade() -> None:
    op.drop_column("institutions", "vocational_school")
    op.drop_column("institutions", "teachers")
