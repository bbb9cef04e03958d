"""The office that an account signs the steps of classes for

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# Who decided so far works at the labour office, for which the console was made.
_SO_FAR = "UPDATE users SET office = 'labour' WHERE role IN ('auditor', 'reviewer')"


def upgrade() -> None:
    op.add_column("users", sa.Column("office", sa.String(length=128), nullable=True))
    op.execute(_SO_FAR)


def downgrade() -> None:
    op.drop_column("users", "office")
