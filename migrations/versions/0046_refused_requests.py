"""What platforms were refused of late and why, for their developers

Revision ID: 0046
Revises: 0045
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "refused_requests",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("platform_id", ID, nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.LargeBinary(length=32), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=128), nullable=False),
        sa.Column("route", sa.String(length=2000), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("field", sa.String(length=128), nullable=False),
        sa.Column("detail", sa.String(length=2000), nullable=False),
        sa.Column("request_id", sa.String(length=128), nullable=False),
        sa.Column("key_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["platform_id"], ["platforms.id"], op.f("fk_refused_requests_platform_id")
        ),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], op.f("fk_refused_requests_key_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refused_requests")),
        sa.UniqueConstraint(
            "platform_id",
            "minute",
            "kind",
            name=op.f("uq_refused_requests_platform_id_minute_kind"),
        ),
    )
    op.create_index(op.f("ix_refused_requests_at_ms"), "refused_requests", ["at_ms"])


def downgrade() -> None:
    op.drop_table("refused_requests")
