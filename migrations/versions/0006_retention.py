"""Keep photos for their term, hold them where a case needs it, and drop what nothing reads.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNREAD = (
    ("sessions", sa.Column("play_recv_ms", sa.BigInteger(), nullable=True)),
    ("enrolments", sa.Column("popup_ms", sa.Integer(), nullable=True)),
    ("enrolments", sa.Column("popup_due_ms", sa.Integer(), nullable=True)),
)


def upgrade() -> None:
    for table, column in UNREAD:
        op.drop_column(table, column.name)
    op.add_column("snapshots", sa.Column("removal_ms", sa.BigInteger(), nullable=True))
    op.add_column("snapshots", sa.Column("removed_ms", sa.BigInteger(), nullable=True))
    op.create_table(
        "legal_holds",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("class_id", ID, nullable=True),
        sa.Column("learner_id", ID, nullable=True),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("placed_by", sa.String(length=128), nullable=False),
        sa.Column("placed_ms", sa.BigInteger(), nullable=False),
        sa.Column("lifted_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], name=op.f("fk_legal_holds_class_id")),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_legal_holds_learner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_holds")),
    )
    op.create_index("ix_legal_holds_class_id", "legal_holds", ["class_id"])
    op.create_index("ix_legal_holds_learner_id", "legal_holds", ["learner_id"])


def downgrade() -> None:
    op.drop_table("legal_holds")
    op.drop_column("snapshots", "removed_ms")
    op.drop_column("snapshots", "removal_ms")
    for table, column in UNREAD:
        op.add_column(table, column)
