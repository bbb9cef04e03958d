"""Counties, institutions, and who belongs to one

Revision ID: 0021
Revises: 0020
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OF_ONE = ("classes", "courses", "platforms", "users")
COUNTIES = """
    INSERT INTO counties (name, created_ms)
    SELECT county, MIN(since_ms) FROM (
        SELECT county, created_ms AS since_ms FROM platforms
        UNION ALL SELECT county, opened_ms FROM classes) AS known
    GROUP BY county
"""


def upgrade() -> None:
    op.create_table(
        "counties",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_counties")),
        sa.UniqueConstraint("name", name=op.f("uq_counties_name")),
        sa.UniqueConstraint("code", name=op.f("uq_counties_code")),
    )
    op.execute(COUNTIES)
    op.create_table(
        "institutions",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("county", sa.String(length=128), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("listed_from", sa.String(length=128), nullable=True),
        sa.Column("listed_until", sa.String(length=128), nullable=True),
        sa.Column("document", sa.String(length=128), nullable=True),
        sa.Column("reviews", sa.JSON(), nullable=False),
        sa.Column("withdrawn_on", sa.String(length=128), nullable=True),
        sa.Column("withdrawn_reason", sa.String(length=2000), nullable=True),
        sa.Column("created_ms", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institutions")),
        sa.UniqueConstraint("county", "code", name=op.f("uq_institutions_county_code")),
        sa.UniqueConstraint("county", "name", name=op.f("uq_institutions_county_name")),
    )
    for table in OF_ONE:
        reference = sa.ForeignKey("institutions.id", name=op.f(f"fk_{table}_institution_id"))
        column = sa.Column("institution_id", ID, reference, nullable=True)
        op.add_column(table, column, inline_references=True)
        op.create_index(op.f(f"ix_{table}_institution_id"), table, ["institution_id"])
    op.create_table(
        "class_setups",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("institution_id", ID, nullable=False),
        sa.Column("platform_id", ID, nullable=True),
        sa.Column("course_id", ID, nullable=True),
        sa.Column("class_id", ID, nullable=True),
        sa.Column("begun_by", sa.String(length=128), nullable=False),
        sa.Column("begun_ms", sa.BigInteger(), nullable=False),
        *(
            sa.ForeignKeyConstraint(
                [column], [f"{table}.id"], name=op.f(f"fk_class_setups_{column}")
            )
            for column, table in (
                ("institution_id", "institutions"),
                ("platform_id", "platforms"),
                ("course_id", "courses"),
                ("class_id", "classes"),
            )
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_class_setups")),
    )
    op.create_index(op.f("ix_class_setups_institution_id"), "class_setups", ["institution_id"])


def downgrade() -> None:
    op.drop_table("class_setups")
    for table in OF_ONE:
        op.drop_index(op.f(f"ix_{table}_institution_id"), table)
        op.drop_column(table, "institution_id")
    op.drop_table("institutions")
    op.drop_table("counties")
