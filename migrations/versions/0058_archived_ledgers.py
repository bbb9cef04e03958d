"""Where controls and photos' rows lie that were moved out of the database into files

Revision ID: 0058
Revises: 0057
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0058"
down_revision = "0057"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
LEDGERS, PHOTOS, LOOKS = "archived_ledgers", "archived_photos", "photo_accesses"
KEY = "fk_photo_accesses_snapshot_id"


def upgrade() -> None:
    kind = sa.Column("kind", sa.String(length=128), nullable=False, server_default="event_logs")
    op.add_column("event_archives", kind)
    op.create_table(
        LEDGERS,
        sa.Column("session_id", ID, nullable=False),
        sa.Column("controls_id", ID, nullable=True),
        sa.Column("snapshots_id", ID, nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], op.f(f"fk_{LEDGERS}_session_id")),
        sa.ForeignKeyConstraint(
            ["controls_id"], ["event_archives.id"], op.f(f"fk_{LEDGERS}_controls_id")
        ),
        sa.ForeignKeyConstraint(
            ["snapshots_id"], ["event_archives.id"], op.f(f"fk_{LEDGERS}_snapshots_id")
        ),
        sa.PrimaryKeyConstraint("session_id", name=op.f(f"pk_{LEDGERS}")),
    )
    for name in ("controls_id", "snapshots_id"):
        op.create_index(op.f(f"ix_{LEDGERS}_{name}"), LEDGERS, [name])
    op.create_table(
        PHOTOS,
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("received_ms", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=False),
        sa.Column("phash", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], op.f(f"fk_{PHOTOS}_session_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{PHOTOS}")),
    )
    for name in ("session_id", "sha256"):
        op.create_index(op.f(f"ix_{PHOTOS}_{name}"), PHOTOS, [name])
    # Who looked at a photo is kept for good, and its row may go into a file.
    if op.get_bind().dialect.name == "postgresql":  # gone before where the tables were cut
        op.execute(f"ALTER TABLE {LOOKS} DROP CONSTRAINT IF EXISTS {KEY}")
        return
    with op.batch_alter_table(LOOKS) as table:
        table.drop_constraint(KEY, type_="foreignkey")


def downgrade() -> None:
    """Raises where rows are in no other place: `zhenxue archive return` first."""
    left = op.get_bind().execute(sa.text(f"SELECT count(*) FROM {LEDGERS}")).scalar_one()  # noqa: S608
    if left:
        raise RuntimeError(f"{left} ledgers are archived: `zhenxue archive return` first")
    op.drop_table(PHOTOS)
    op.drop_table(LEDGERS)
    op.execute("DELETE FROM event_archives WHERE kind <> 'event_logs'")
    with op.batch_alter_table("event_archives") as table:
        table.drop_column("kind")
    if op.get_bind().dialect.name == "postgresql":
        cut = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass('snapshots')"
        if op.get_bind().execute(sa.text(cut)).scalar_one():
            return
    with op.batch_alter_table(LOOKS) as table:
        table.create_foreign_key(KEY, "snapshots", ["snapshot_id"], ["id"])
