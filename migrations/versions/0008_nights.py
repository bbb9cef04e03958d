"""Find what a night asks for each class without reading what all others left.

The current verdicts of a class, whatever the pack: with the pack before the subject in the index,
SQLite read the verdicts of all classes instead. And the runs of one night among those of all.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

BEFORE = ["class_id", "subject_kind", "pack", "subject_id", "hour", "id"]
AFTER = ["class_id", "subject_kind", "subject_id", "hour", "id", "pack"]


def upgrade() -> None:
    op.drop_index("ix_verdicts_class", "verdicts")
    op.create_index("ix_verdicts_class", "verdicts", AFTER)
    op.create_index("ix_runs_asked", "runs", ["requested_by", "state", "id"])


def downgrade() -> None:
    op.drop_index("ix_runs_asked", "runs")
    op.drop_index("ix_verdicts_class", "verdicts")
    op.create_index("ix_verdicts_class", "verdicts", BEFORE)
