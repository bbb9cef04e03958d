"""Notices to people, the ways they chose, and an index of who stands in the audit log

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _of_user(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["user_id"], ["users.id"], op.f(f"fk_{table}_user_id"))


def upgrade() -> None:
    op.create_index(op.f("ix_audit_entries_actor"), "audit_entries", ["actor"])
    op.create_table(
        "notice_choices",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kinds", sa.JSON(), nullable=False),
        sa.Column("daily", sa.Boolean(), nullable=False),
        sa.Column("ways_encrypted", sa.LargeBinary(), nullable=False),
        _of_user("notice_choices"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notice_choices")),
    )
    op.create_table(
        "notices",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("day", sa.String(length=128), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("told_ms", sa.BigInteger(), nullable=False),
        sa.Column("read_ms", sa.BigInteger(), nullable=True),
        _of_user("notices"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sa.UniqueConstraint("user_id", "kind", "day", name=op.f("uq_notices_user_id_kind_day")),
    )
    op.create_index(op.f("ix_notices_user_id"), "notices", ["user_id"])
    op.create_table(
        "notice_deliveries",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("way", sa.String(length=128), nullable=False),
        sa.Column("message_id", sa.String(length=128), nullable=False),
        sa.Column("body", sa.String(length=2000), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_ms", sa.BigInteger(), nullable=True),
        sa.Column("delivered_ms", sa.BigInteger(), nullable=True),
        sa.Column("last_error", sa.String(length=2000), nullable=True),
        _of_user("notice_deliveries"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_deliveries")),
        sa.UniqueConstraint(
            "user_id", "way", "message_id", name=op.f("uq_notice_deliveries_user_id_way_message_id")
        ),
    )
    op.create_index(op.f("ix_notice_deliveries_user_id"), "notice_deliveries", ["user_id"])
    op.create_index(
        op.f("ix_notice_deliveries_next_attempt_ms"), "notice_deliveries", ["next_attempt_ms"]
    )


def downgrade() -> None:
    for table in ("notice_deliveries", "notices", "notice_choices"):
        op.drop_table(table)
    op.drop_index(op.f("ix_audit_entries_actor"), "audit_entries")
