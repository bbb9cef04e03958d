"""Find the current verdicts of a class without reading those of all others.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WHOLE = ["class_id", "subject_kind", "pack", "subject_id", "hour", "id"]


def upgrade() -> None:
    op.drop_index("ix_verdicts_class", "verdicts")
    op.create_index("ix_verdicts_class", "verdicts", WHOLE)


def downgrade() -> None:
    op.drop_index("ix_verdicts_class", "verdicts")
    op.create_index("ix_verdicts_class", "verdicts", WHOLE[:2])
