"""What each service counted of each API key, so that all hold it to one limit

Revision ID: 0041
Revises: 0040
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "key_uses",
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("key_id", ID, nullable=False),
        sa.Column("service", sa.String(length=128), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], op.f("fk_key_uses_key_id")),
        sa.PrimaryKeyConstraint("minute", "key_id", "service", name=op.f("pk_key_uses")),
    )


def downgrade() -> None:
    op.drop_table("key_uses")
