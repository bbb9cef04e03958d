"""What photographs are looked up by among all of the installation, and those that lack it

Revision ID: 0044
Revises: 0043
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0044"
down_revision = "0043"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BANDS = tuple(f"band_{number}" for number in range(6))
OWNERS = (("snapshot_id", "snapshots"), ("reference_photo_id", "reference_photos"))


def upgrade() -> None:
    op.create_table(
        "photo_codes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        *_owners("photo_codes"),
        sa.Column("codes", sa.LargeBinary(32), nullable=False),
        *(sa.Column(band, sa.Integer(), nullable=False) for band in BANDS),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_codes")),
        *(sa.UniqueConstraint(name, name=op.f(f"uq_photo_codes_{name}")) for name, _ in OWNERS),
    )
    for band in BANDS:
        op.create_index(op.f(f"ix_photo_codes_{band}"), "photo_codes", [band])
    op.create_table(
        "photo_codes_due",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        *_owners("photo_codes_due"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_photo_codes_due")),
    )
    for name, _ in OWNERS:
        op.create_index(op.f(f"ix_photo_codes_due_{name}"), "photo_codes_due", [name])
    op.execute(
        "INSERT INTO photo_codes_due (snapshot_id) SELECT id FROM snapshots WHERE phash IS NOT NULL"
        " AND blob_key IS NOT NULL AND removal_ms IS NULL AND purged_ms IS NULL ORDER BY id"
    )
    op.execute(
        "INSERT INTO photo_codes_due (reference_photo_id) SELECT id FROM reference_photos"
        " WHERE status = 'ready' AND blob_key IS NOT NULL AND template_encrypted IS NOT NULL"
        " ORDER BY id"
    )


def _owners(table: str) -> list[sa.schema.SchemaItem]:
    columns = [sa.Column(name, ID, nullable=True) for name, _ in OWNERS]
    keys = [
        sa.ForeignKeyConstraint([name], [f"{other}.id"], op.f(f"fk_{table}_{name}"))
        for name, other in OWNERS
    ]
    return [*columns, *keys]


def downgrade() -> None:
    op.drop_table("photo_codes_due")
    op.drop_table("photo_codes")
