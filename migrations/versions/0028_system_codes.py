"""Numbers that official systems gave classes and learners

Revision ID: 0028
Revises: 0027
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "system_codes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("system", sa.String(length=128), nullable=False),
        sa.Column("class_id", ID, nullable=False),
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("entered_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name=op.f("fk_system_codes_class_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_system_codes")),
        sa.UniqueConstraint(
            "system",
            "class_id",
            "learner_id",
            name=op.f("uq_system_codes_system_class_id_learner_id"),
        ),
    )
    op.create_index(op.f("ix_system_codes_class_id"), "system_codes", ["class_id"])


def downgrade() -> None:
    op.drop_table("system_codes")
