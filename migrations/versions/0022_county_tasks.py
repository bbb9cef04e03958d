"""A county's targets of the year, and the task that a class serves

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "county_targets",
        sa.Column("county", sa.String(length=128), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("task", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("county", "year", "task", name=op.f("pk_county_targets")),
    )
    op.create_table(
        "class_tasks",
        sa.Column("class_id", ID, autoincrement=False, nullable=False),
        sa.Column("task", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_class_tasks_class_id")),
        sa.PrimaryKeyConstraint("class_id", name=op.f("pk_class_tasks")),
    )


def downgrade() -> None:
    op.drop_table("class_tasks")
    op.drop_table("county_targets")
