"""Remote inspections

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "inspections",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("class_id", ID, nullable=False),
        sa.Column("frame_kind", sa.String(length=128), nullable=False),
        sa.Column("frame", sa.JSON(), nullable=False),
        sa.Column("seed", sa.String(length=128), nullable=False),
        sa.Column("drawn", sa.JSON(), nullable=False),
        sa.Column("online", sa.JSON(), nullable=False),
        sa.Column("drawn_by", ID, nullable=False),
        sa.Column("drawn_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_inspections_class_id")),
        sa.ForeignKeyConstraint(["drawn_by"], ["users.id"], name=op.f("fk_inspections_drawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections")),
    )
    op.create_index(op.f("ix_inspections_class_id"), "inspections", ["class_id"])
    op.create_table(
        "inspection_checks",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("inspection_id", ID, nullable=False),
        sa.Column("learner", sa.String(length=128), nullable=False),
        sa.Column("result", sa.String(length=128), nullable=False),
        sa.Column("remark", sa.String(length=2000), nullable=False),
        sa.Column("session_id", ID, nullable=True),
        sa.Column("checked_by", ID, nullable=False),
        sa.Column("checked_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name=op.f("fk_inspection_checks_inspection_id")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_inspection_checks_session_id")
        ),
        sa.ForeignKeyConstraint(
            ["checked_by"], ["users.id"], name=op.f("fk_inspection_checks_checked_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_checks")),
    )
    op.create_index(
        op.f("ix_inspection_checks_inspection_id"), "inspection_checks", ["inspection_id"]
    )


def downgrade() -> None:
    op.drop_table("inspection_checks")
    op.drop_table("inspections")
