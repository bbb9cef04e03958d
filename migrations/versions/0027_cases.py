"""Cases of one cause, with comments and files; reviews that count no more

Revision ID: 0027
Revises: 0026
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.clock import day
from app.store.review.causes import cause_of

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
DUE_DAYS = 10
CHUNK = 1_000


def upgrade() -> None:
    op.create_table(
        "cases",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("opened_ms", sa.BigInteger(), nullable=False),
        sa.Column("due_on", sa.String(length=128), nullable=False),
        sa.Column("snoozed_until", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
        sa.UniqueConstraint("key", name=op.f("uq_cases_key")),
    )
    op.create_table(
        "case_notes",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("case_id", ID, nullable=False),
        sa.Column("written_by", sa.String(length=128), nullable=False),
        sa.Column("body", sa.String(length=2000), nullable=False),
        sa.Column("file_name", sa.String(length=128), nullable=True),
        sa.Column("media_type", sa.String(length=128), nullable=True),
        sa.Column("size", sa.Integer(), nullable=True),
        sa.Column("sha256", sa.LargeBinary(length=32), nullable=True),
        sa.Column("blob_key", sa.String(length=128), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_case_notes_case_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_notes")),
    )
    op.create_index(op.f("ix_case_notes_case_id"), "case_notes", ["case_id"])
    with op.batch_alter_table("findings") as table:
        table.add_column(sa.Column("case_id", ID, nullable=True))
        table.create_foreign_key(op.f("fk_findings_case_id"), "cases", ["case_id"], ["id"])
        table.create_index(op.f("ix_findings_case_id"), ["case_id"])
    op.add_column("reviews", sa.Column("superseded_ms", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_audit_entries_subject"), "audit_entries", ["subject"])
    _file_findings(op.get_bind())
    _hand_over_cases()


def downgrade() -> None:
    op.drop_index(op.f("ix_audit_entries_subject"), "audit_entries")
    op.drop_table("assignments")
    _assignments("finding_id", "findings")
    op.drop_column("reviews", "superseded_ms")
    with op.batch_alter_table("findings") as table:
        table.drop_index(op.f("ix_findings_case_id"))
        table.drop_constraint(op.f("fk_findings_case_id"), type_="foreignkey")
        table.drop_column("case_id")
    op.drop_table("case_notes")
    op.drop_table("cases")


def _file_findings(connection: Any) -> None:
    """Every finding that there is comes under its case."""
    tables = sa.MetaData()
    tables.reflect(connection, only=["findings", "classes", "learners", "cases"])
    findings, classes, learners, cases = (
        tables.tables[it] for it in ("findings", "classes", "learners", "cases")
    )
    query = (
        sa.select(findings, classes.c.county, learners.c.person_id)
        .join(classes, classes.c.id == findings.c.class_id)
        .join(learners, learners.c.id == findings.c.learner_id, isouter=True)
        .order_by(findings.c.id)
        .limit(CHUNK)
    )
    numbers: dict[str, int] = {}
    last = 0
    while rows := connection.execute(query.where(findings.c.id > last)).mappings().all():
        for row in rows:
            cause = cause_of(row, row["county"], row["person_id"])
            if cause.key not in numbers:
                due = day(row["created_ms"]) + timedelta(days=DUE_DAYS)
                values = {
                    "key": cause.key,
                    "kind": cause.kind,
                    "opened_ms": row["created_ms"],
                    "due_on": due.isoformat(),
                }
                made = connection.execute(sa.insert(cases).values(**values))
                numbers[cause.key] = made.inserted_primary_key[0]
            connection.execute(
                sa.update(findings)
                .where(findings.c.id == row["id"])
                .values(case_id=numbers[cause.key])
            )
        last = rows[-1]["id"]


def _hand_over_cases() -> None:
    """Who looked after a finding looks after its case."""
    connection = op.get_bind()
    kept = connection.execute(
        sa.text(
            "SELECT f.case_id, a.user_id, a.assigned_by, a.assigned_ms FROM assignments a"
            " JOIN findings f ON f.id = a.finding_id ORDER BY a.assigned_ms"
        )
    ).all()
    op.drop_table("assignments")
    _assignments("case_id", "cases")
    by_case = {row.case_id: row for row in kept}
    for row in by_case.values():
        connection.execute(
            sa.text("INSERT INTO assignments VALUES (:case_id, :user_id, :assigned_by, :at)"),
            {
                "case_id": row.case_id,
                "user_id": row.user_id,
                "assigned_by": row.assigned_by,
                "at": row.assigned_ms,
            },
        )


def _assignments(column: str, of: str) -> None:
    op.create_table(
        "assignments",
        sa.Column(column, ID, autoincrement=False, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("assigned_by", ID, nullable=False),
        sa.Column("assigned_ms", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint([column], [f"{of}.id"], name=op.f(f"fk_assignments_{column}")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_assignments_user_id")),
        sa.ForeignKeyConstraint(
            ["assigned_by"], ["users.id"], name=op.f("fk_assignments_assigned_by")
        ),
        sa.PrimaryKeyConstraint(column, name=op.f("pk_assignments")),
    )
    op.create_index(op.f("ix_assignments_user_id"), "assignments", ["user_id"])
