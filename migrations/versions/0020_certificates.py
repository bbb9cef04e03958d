"""Certificate numbers, each known once

Revision ID: 0020
Revises: 0019
"""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    table = op.create_table(
        "certificates",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("number", sa.String(length=128), nullable=False),
        sa.Column("class_id", ID, nullable=False),
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["class_id"], ["classes.id"], name=op.f("fk_certificates_class_id")
        ),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], name=op.f("fk_certificates_learner_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificates")),
        sa.UniqueConstraint("number", name=op.f("uq_certificates_number")),
    )
    op.create_index(op.f("ix_certificates_class_id"), "certificates", ["class_id"])
    if found := _known():
        op.bulk_insert(table, found)


def downgrade() -> None:
    op.drop_table("certificates")


def _known() -> list[dict[str, Any]]:
    """The numbers that were reported before; of two equal ones the first."""
    records = sa.table(
        "assessment_records",
        *(sa.column(it) for it in ("id", "class_id", "learner_id", "body", "created_ms")),
    )
    found: dict[str, dict[str, Any]] = {}
    for row in op.get_bind().execute(sa.select(records).order_by(records.c.id)):
        body = json.loads(row.body) if isinstance(row.body, str) else row.body
        said = unicodedata.normalize("NFKC", str(body.get("certificate_no") or ""))
        number = "".join(said.split()).upper()
        if number and body.get("passed") is True:
            values = {it: getattr(row, it) for it in ("class_id", "learner_id", "created_ms")}
            found.setdefault(number, {"number": number, **values})
    return list(found.values())
