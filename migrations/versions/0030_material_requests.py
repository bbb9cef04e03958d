"""Requests for material to a case

Revision ID: 0030
Revises: 0029
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
REFERS = {
    "case_id": "cases",
    "platform_id": "platforms",
    "institution_id": "institutions",
    "enrolment_id": "enrolments",
    "note_id": "case_notes",
}


def upgrade() -> None:
    op.create_table(
        "material_requests",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("platform_id", ID, nullable=True),
        sa.Column("institution_id", ID, nullable=True),
        sa.Column("enrolment_id", ID, nullable=True),
        sa.Column("wanted", sa.String(length=2000), nullable=False),
        sa.Column("due_on", sa.String(length=128), nullable=False),
        sa.Column("asked_by", sa.String(length=128), nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("reminded_ms", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_ms", sa.BigInteger(), nullable=True),
        sa.Column("answered_ms", sa.BigInteger(), nullable=True),
        sa.Column("note_id", ID, nullable=True),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_material_requests_{column}")
            )
            for column, table in REFERS.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_material_requests")),
    )
    for column in ("case_id", "platform_id", "institution_id", "enrolment_id"):
        op.create_index(op.f(f"ix_material_requests_{column}"), "material_requests", [column])


def downgrade() -> None:
    op.drop_table("material_requests")
