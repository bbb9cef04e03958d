"""Failed logins, counted for all services, and where each login is open

Revision ID: 0017
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "login_failures",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.LargeBinary(32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failures")),
    )
    op.create_index(op.f("ix_login_failures_key"), "login_failures", ["key"])
    op.create_index(op.f("ix_login_failures_at_ms"), "login_failures", ["at_ms"])
    for name in ("address", "browser"):
        column = sa.Column(name, sa.String(length=128), server_default="", nullable=False)
        op.add_column("user_sessions", column)


def downgrade() -> None:
    op.drop_column("user_sessions", "browser")
    op.drop_column("user_sessions", "address")
    op.drop_table("login_failures")
