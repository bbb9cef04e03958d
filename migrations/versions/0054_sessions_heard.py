"""When a class was heard last, without a look at all its sittings

Revision ID: 0054
Revises: 0053
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None

ENDED = sa.text("state != 'open'")


def upgrade() -> None:
    op.create_index(
        "ix_sessions_heard",
        "sessions",
        ["class_id", "last_recv_ms"],
        sqlite_where=ENDED,
        postgresql_where=ENDED,
    )


def downgrade() -> None:
    op.drop_index("ix_sessions_heard", "sessions")
