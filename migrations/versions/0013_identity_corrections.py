"""Corrections of who stands behind an account

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "identity_corrections",
        sa.Column("act_id", ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=True),
        sa.Column("id_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("id_number_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("id_last4", sa.String(length=128), nullable=True),
        sa.Column("applied_ms", sa.BigInteger(), nullable=True),
        sa.Column("person_id", ID, nullable=True),
        sa.Column("former_person_id", ID, nullable=True),
        sa.Column("former_name", sa.String(length=128), nullable=True),
        sa.Column("former_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("former_last4", sa.String(length=128), nullable=True),
        sa.ForeignKeyConstraint(
            ["act_id"], ["acts.id"], name=op.f("fk_identity_corrections_act_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_identity_corrections_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["former_person_id"],
            ["persons.id"],
            name=op.f("fk_identity_corrections_former_person_id"),
        ),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_identity_corrections")),
    )


def downgrade() -> None:
    op.drop_table("identity_corrections")
