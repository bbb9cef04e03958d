"""Links by which learners see their own record

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "learner_links",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("enrolment_id", ID, nullable=False),
        sa.Column("issued_by", sa.String(length=128), nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.Column("expires_ms", sa.BigInteger(), nullable=False),
        sa.Column("revoked_ms", sa.BigInteger(), nullable=True),
        sa.Column("opened_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolments.id"], name=op.f("fk_learner_links_enrolment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learner_links")),
    )
    op.create_index(op.f("ix_learner_links_enrolment_id"), "learner_links", ["enrolment_id"])


def downgrade() -> None:
    op.drop_table("learner_links")
