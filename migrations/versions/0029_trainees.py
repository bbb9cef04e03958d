"""Who a learner is, as far as the rules on who may be trained ask

Revision ID: 0029
Revises: 0028
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("enrolments", sa.Column("trainee", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("enrolments", "trainee")
