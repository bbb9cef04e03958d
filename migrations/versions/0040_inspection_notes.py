"""What an inspection found as a whole: place, teachers, heads, materials

Revision ID: 0040
Revises: 0039
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "inspection_notes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("inspection_id", ID, nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("noted_by", ID, nullable=False),
        sa.Column("noted_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name=op.f("fk_inspection_notes_inspection_id")
        ),
        sa.ForeignKeyConstraint(
            ["noted_by"], ["users.id"], name=op.f("fk_inspection_notes_noted_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspection_notes")),
    )
    op.create_index(
        op.f("ix_inspection_notes_inspection_id"), "inspection_notes", ["inspection_id"]
    )


def downgrade() -> None:
    op.drop_table("inspection_notes")
