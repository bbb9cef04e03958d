"""Second factors of people who sign in

Revision ID: 0032
Revises: 0031
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "second_factors",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=True),
        sa.Column("counter", sa.BigInteger(), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("used_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], op.f("fk_second_factors_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_second_factors")),
        sa.UniqueConstraint("credential", name=op.f("uq_second_factors_credential")),
    )
    op.create_index(op.f("ix_second_factors_user_id"), "second_factors", ["user_id"])
    op.add_column("users", sa.Column("factor_due_ms", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("reset_asked_ms", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("reset_asked_by", sa.String(length=128), nullable=True))
    op.add_column("user_sessions", sa.Column("confirmed_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("user_sessions", "confirmed_ms")
    op.drop_column("users", "reset_asked_by")
    op.drop_column("users", "reset_asked_ms")
    op.drop_column("users", "factor_due_ms")
    op.drop_table("second_factors")
