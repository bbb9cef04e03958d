"""A second person decides on a county's standard, and a standard can be of one kind of certificate

Revision ID: 0043
Revises: 0042
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0043"
down_revision = "0042"
branch_labels = None
depends_on = None

TABLE = "subsidy_standards"
WORDS = {"certificate_type": "", "state": "in_force", "decided_by": ""}


def upgrade() -> None:
    with op.batch_alter_table(TABLE) as table:
        for name, default in WORDS.items():
            column = sa.Column(name, sa.String(length=128), nullable=False, server_default=default)
            table.add_column(column)
        table.add_column(sa.Column("decided_ms", sa.BigInteger(), nullable=True))
        table.add_column(sa.Column("replaces", sa.BigInteger(), nullable=True))
    with op.batch_alter_table(TABLE) as table:
        for name in WORDS:
            table.alter_column(name, server_default=None, existing_type=sa.String(length=128))


def downgrade() -> None:
    # What nobody agreed to was never in force.
    op.execute("DELETE FROM subsidy_standards WHERE state <> 'in_force'")
    with op.batch_alter_table(TABLE) as table:
        for name in ("replaces", "decided_ms", *reversed(WORDS)):
            table.drop_column(name)
