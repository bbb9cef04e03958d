"""Policy packs that are being written

Revision ID: 0025
Revises: 0024
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "pack_drafts",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        *(
            sa.Column(it, sa.String(length=128), nullable=False)
            for it in ("county", "pack_id", "version")
        ),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("clauses", sa.Text(), nullable=False),
        sa.Column("writers", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.String(length=128), nullable=True),
        sa.Column("published_ms", sa.BigInteger(), nullable=True),
        sa.Column("digest", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack_drafts")),
    )


def downgrade() -> None:
    op.drop_table("pack_drafts")
