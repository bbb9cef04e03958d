"""Face checks that somebody of the authority asked for at a moment

Revision ID: 0037
Revises: 0036
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "spot_checks",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("asked_by", ID, nullable=False),
        sa.Column("asked_ms", sa.BigInteger(), nullable=False),
        sa.Column("challenge_id", sa.String(length=128), nullable=True),
        sa.Column("issued_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], name=op.f("fk_spot_checks_session_id")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_spot_checks_person_id")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["users.id"], name=op.f("fk_spot_checks_asked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_spot_checks")),
    )
    for column in ("session_id", "person_id", "asked_ms"):
        op.create_index(op.f(f"ix_spot_checks_{column}"), "spot_checks", [column])


def downgrade() -> None:
    op.drop_table("spot_checks")
