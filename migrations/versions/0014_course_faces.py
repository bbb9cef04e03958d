"""What stands out of a learner's face over a course, sitting by sitting

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "course_faces",
        sa.Column("session_id", ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.Column("distance", sa.Double(), nullable=False),
        sa.Column("limit", sa.Double(), nullable=False),
        sa.Column("sittings", sa.Integer(), nullable=False),
        sa.Column("others", sa.Integer(), nullable=False),
        sa.Column("measured_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_course_faces_session_id")
        ),
        sa.PrimaryKeyConstraint("session_id", "kind", name=op.f("pk_course_faces")),
    )


def downgrade() -> None:
    op.drop_table("course_faces")
