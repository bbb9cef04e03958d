"""Lists of a class that two persons signed

Revision ID: 0018
Revises: 0017
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sign_offs",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("class_id", ID, nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("lists", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("prepared_by", ID, nullable=False),
        sa.Column("prepared_ms", sa.BigInteger(), nullable=False),
        sa.Column("signed_by", ID, nullable=True),
        sa.Column("signed_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_by", ID, nullable=True),
        sa.Column("withdrawn_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=2000), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_sign_offs_class_id")),
        *(
            sa.ForeignKeyConstraint([it], ["users.id"], name=op.f(f"fk_sign_offs_{it}"))
            for it in ("prepared_by", "signed_by", "withdrawn_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_offs")),
    )
    op.create_index(op.f("ix_sign_offs_class_id"), "sign_offs", ["class_id"])


def downgrade() -> None:
    op.drop_table("sign_offs")
