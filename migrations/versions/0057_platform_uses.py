"""Count the bytes that a platform sends in a day, so that none fills the disk of all

Revision ID: 0057
Revises: 0056
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0057"
down_revision = "0056"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "platform_uses",
        sa.Column("day", sa.BigInteger(), nullable=False),
        sa.Column("platform_id", ID, nullable=False),
        sa.Column("service", sa.String(length=128), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], op.f("fk_platform_uses_platform_id")
        ),
        sa.PrimaryKeyConstraint("day", "platform_id", "service", name=op.f("pk_platform_uses")),
    )


def downgrade() -> None:
    op.drop_table("platform_uses")
