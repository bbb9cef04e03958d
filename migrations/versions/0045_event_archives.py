"""Where the logs lie that were moved out of the database into files of the object store

Revision ID: 0045
Revises: 0044
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "event_archives",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("class_id", ID, nullable=False),
        sa.Column("month", sa.String(length=128), nullable=False),
        sa.Column("object_key", sa.String(length=2000), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sittings", sa.Integer(), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], op.f("fk_event_archives_class_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event_archives")),
        sa.UniqueConstraint("object_key", name=op.f("uq_event_archives_object_key")),
    )
    op.create_index(op.f("ix_event_archives_class_id"), "event_archives", ["class_id"])
    op.create_table(
        "archived_logs",
        sa.Column("session_id", ID, nullable=False),
        sa.Column("archive_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"], ["sessions.id"], op.f("fk_archived_logs_session_id")
        ),
        sa.ForeignKeyConstraint(
            ["archive_id"], ["event_archives.id"], op.f("fk_archived_logs_archive_id")
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f("pk_archived_logs")),
    )
    op.create_index(op.f("ix_archived_logs_archive_id"), "archived_logs", ["archive_id"])


def downgrade() -> None:
    """Raises where a log is in no other place: `zhenxue archive return` first."""
    left = op.get_bind().execute(sa.text("SELECT count(*) FROM archived_logs")).scalar_one()
    if left:
        raise RuntimeError(f"{left} logs are archived: `zhenxue archive return` first")
    op.drop_table("archived_logs")
    op.drop_table("event_archives")
