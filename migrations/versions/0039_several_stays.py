"""Several stays of a learner in one class

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("enrolments", sa.Column("away", sa.JSON(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("enrolments") as table:
        table.drop_column("away")
