"""Find the sessions that wait to be settled, and those of one device, without reading all others.

What `ix_sessions_platform_id` found, the new index over devices finds as well.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# A control takes 38 bytes of a log, a photo 28. What was checked as the log was sealed may have
# come just after it: such a session is settled once more.
SETTLED = """
    UPDATE sessions SET settled = true
    WHERE state != 'open'
      AND NOT EXISTS (SELECT 1 FROM event_batches WHERE session_id = sessions.id)
      AND EXISTS (
        SELECT 1 FROM event_logs
        WHERE session_id = sessions.id
          AND length(controls) =
              (SELECT 38 * count(*) FROM controls WHERE session_id = sessions.id)
          AND length(photos) =
              (SELECT 28 * count(*) FROM snapshots WHERE session_id = sessions.id)
          AND NOT EXISTS (
            SELECT 1 FROM snapshots
            WHERE session_id = sessions.id AND checked_ms >= event_logs.sealed_ms))
"""


def upgrade() -> None:
    op.add_column(
        "sessions",
        sa.Column("settled", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.execute(SETTLED)
    op.create_index(
        "ix_sessions_unsettled",
        "sessions",
        ["class_id", "id"],
        sqlite_where=sa.text("settled = 0 AND state != 'open'"),
        postgresql_where=sa.text("NOT settled AND state != 'open'"),
    )
    op.create_index("ix_sessions_device", "sessions", ["platform_id", "device_id", "opened_ms"])
    op.drop_index("ix_sessions_platform_id", "sessions")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ANALYZE sessions")  # or half of all would be expected to wait


def downgrade() -> None:
    op.create_index("ix_sessions_platform_id", "sessions", ["platform_id"])
    op.drop_index("ix_sessions_device", "sessions")
    op.drop_index("ix_sessions_unsettled", "sessions")
    op.drop_column("sessions", "settled")
