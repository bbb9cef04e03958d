"""What a finding weighs in the queue, kept with it, and an index that holds all the queue sorts by

Revision ID: 0053
Revises: 0052
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0053"
down_revision = "0052"
branch_labels = None
depends_on = None

MISMATCH = "reason IN ('other_person', 'enrolled_never_seen', 'single_mismatch')"
MOST = f"CASE WHEN {MISMATCH} THEN 399 ELSE 600 END"
MEASURED = "CAST(body ->> 'measured' AS DOUBLE PRECISION)"
LIMIT = "CAST(body ->> 'limit' AS DOUBLE PRECISION)"
BEYOND = f"200 * ({MEASURED} / {LIMIT} - 1)"
WEIGHT = f"""(
CASE WHEN needs_two_reviewers AND learner_id IS NULL THEN 0 WHEN needs_two_reviewers THEN 1
 WHEN outcome = 'violation' THEN 2 WHEN outcome = 'review' THEN 3 WHEN outcome = 'not_proven' THEN 4
 ELSE 5 END * 100
+ CASE evidence WHEN 'S' THEN 0 WHEN 'C+' THEN 1 ELSE 2 END) * 1000
+ CASE
 WHEN rule NOT IN ('face_liveness', 'person_over_course', 'one_face_several_accounts') THEN 999
 WHEN coalesce(body ->> 'unit', '') <> 'distance' THEN 999
 WHEN coalesce({LIMIT}, 0) <= 0 OR {MEASURED} IS NULL THEN 999
 ELSE 999 - CASE WHEN {MISMATCH} THEN 600 ELSE 0 END
 - CASE WHEN {MEASURED} > 4 * {LIMIT} THEN {MOST} WHEN {BEYOND} < 1 THEN 1
 WHEN {BEYOND} > {MOST} THEN {MOST} ELSE CAST(round({BEYOND}) AS INTEGER) END
 END"""
QUEUE = [
    *("status", "outcome", "class_id", "shadow", "rule", "weight", "learner_id", "fault"),
    *("created_ms", "case_id", "id"),
]
DESK = [
    *("case_id", "class_id", "status", "shadow", "rule", "weight", "created_ms"),
    *("platform_id", "id"),
]


def upgrade() -> None:
    """One statement fills every row: PostgreSQL writes the table anew, which readers and writers
    wait for; SQLite works the weight out as the indexes are made."""
    stored = True if op.get_bind().dialect.name == "postgresql" else None
    weight = sa.Column("weight", sa.Integer(), sa.Computed(WEIGHT, persisted=stored))
    op.add_column("findings", weight)
    op.drop_index("ix_findings_case_id", "findings")
    op.drop_index("ix_findings_queue", "findings")
    op.create_index("ix_findings_queue", "findings", QUEUE)
    op.create_index("ix_findings_desk", "findings", DESK)
    op.create_index("ix_cases_desk", "cases", ["id", "snoozed_until", "due_on"])


def downgrade() -> None:
    op.drop_index("ix_cases_desk", "cases")
    op.drop_index("ix_findings_desk", "findings")
    op.drop_index("ix_findings_queue", "findings")
    op.create_index("ix_findings_queue", "findings", ["status", "outcome", "id"])
    op.create_index("ix_findings_case_id", "findings", ["case_id"])
    op.drop_column("findings", "weight")
