"""By what a platform's batches without numbers are known again, found by their name

Revision ID: 0049
Revises: 0048

A sitting that is open meanwhile and had such batches takes no more of them (`numbered_by_client`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "forwarded_batches",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=128), nullable=False),
        sa.Column("first_seq", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], op.f("fk_forwarded_batches_session_id")
        ),
        sa.PrimaryKeyConstraint("session_id", "name", name=op.f("pk_forwarded_batches")),
    )
    op.add_column(
        "sessions", sa.Column("forwarded_count", sa.Integer(), server_default="0", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("sessions", "forwarded_count")
    op.drop_table("forwarded_batches")
