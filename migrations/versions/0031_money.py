"""Subsidy standards, payments by learner, and their recovery

Revision ID: 0031
Revises: 0030
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _words(name: str, *, nullable: bool = False, most: int = 128) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=most), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "subsidy_standards",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        _words("county"),
        _words("occupation"),
        sa.Column("level", sa.Integer(), nullable=True),
        _words("applicant"),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("advance_percent", sa.Integer(), nullable=False),
        _words("document"),
        _words("dated"),
        _words("from_on"),
        _words("until_on", nullable=True),
        _words("entered_by"),
        sa.Column("entered_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subsidy_standards")),
    )
    op.create_index(op.f("ix_subsidy_standards_county"), "subsidy_standards", ["county"])
    op.create_table(
        "subsidy_payments",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("class_id", ID, nullable=False),
        sa.Column("learner_id", ID, nullable=False),
        sa.Column("event_id", ID, nullable=False),
        _words("held", nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        _words("paid_on"),
        sa.ForeignKeyConstraint(["class_id"], ["classes.id"], op.f("fk_subsidy_payments_class_id")),
        sa.ForeignKeyConstraint(
            ["learner_id"], ["learners.id"], op.f("fk_subsidy_payments_learner_id")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["stage_events.id"], op.f("fk_subsidy_payments_event_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subsidy_payments")),
        sa.UniqueConstraint("held", name=op.f("uq_subsidy_payments_held")),
    )
    op.create_index(op.f("ix_subsidy_payments_class_id"), "subsidy_payments", ["class_id"])
    op.create_index(op.f("ix_subsidy_payments_learner_id"), "subsidy_payments", ["learner_id"])
    op.create_table(
        "recovery_events",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("payment_id", ID, nullable=False),
        _words("deed"),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        _words("happened_on"),
        _words("document"),
        _words("remark", most=2000),
        _words("done_by"),
        sa.Column("done_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["subsidy_payments.id"], op.f("fk_recovery_events_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_events")),
    )
    op.create_index(op.f("ix_recovery_events_payment_id"), "recovery_events", ["payment_id"])


def downgrade() -> None:
    op.drop_table("recovery_events")
    op.drop_table("subsidy_payments")
    op.drop_table("subsidy_standards")
