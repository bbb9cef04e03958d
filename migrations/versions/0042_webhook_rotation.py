"""A webhook's former secret, which signs beside the new one for a while

Revision ID: 0042
Revises: 0041
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("webhooks") as table:
        table.add_column(sa.Column("former_encrypted", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("former_until_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("webhooks") as table:
        table.drop_column("former_until_ms")
        table.drop_column("former_encrypted")
