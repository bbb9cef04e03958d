"""xAPI documents, definitions of activities, attached files, and what statements are related to

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _digest(name: str, *, nullable: bool = False) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary(length=32), nullable=nullable)


def _words(name: str, *, nullable: bool = False, most: int = 128) -> sa.Column[str]:
    return sa.Column(name, sa.String(length=most), nullable=nullable)


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("platform_id", ID, nullable=False),
        *parts,
        sa.ForeignKeyConstraint(["platform_id"], ["platforms.id"], f"fk_{name}_platform_id"),
        sa.PrimaryKeyConstraint("id", name=f"pk_{name}"),
    )
    _index(name, "platform_id", "platform_id")


def _index(table: str, name: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{name}"), table, list(columns))


def upgrade() -> None:
    _table(
        "xapi_documents",
        _digest("address"),
        _digest("place"),
        _digest("agent", nullable=True),
        _digest("account", nullable=True),
        _words("registration", nullable=True),
        _words("document_id", most=2000),
        _words("media_type"),
        _words("etag"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("changed_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint(
            "platform_id", "address", name=op.f("uq_xapi_documents_platform_id_address")
        ),
    )
    for name in ("place", "agent", "account", "size"):
        _index("xapi_documents", name, "platform_id", name)
    _index("xapi_documents", "changed_ms", "changed_ms")
    _table(
        "xapi_activities",
        _digest("activity"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint(
            "platform_id", "activity", name=op.f("uq_xapi_activities_platform_id_activity")
        ),
    )
    _table(
        "xapi_attachments",
        _words("sha2"),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("stored_ms", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint(
            "platform_id", "sha2", name=op.f("uq_xapi_attachments_platform_id_sha2")
        ),
    )
    _index("xapi_attachments", "size", "platform_id", "size")
    _table(
        "statement_links",
        sa.Column("statement_id", ID, nullable=False),
        _digest("related"),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["statements.id"], op.f("fk_statement_links_statement_id")
        ),
    )
    _index("statement_links", "statement_id", "statement_id")
    _index("statement_links", "related", "platform_id", "related", "statement_id")
    op.add_column("statements", _words("refers", nullable=True))
    _index("statements", "refers", "platform_id", "refers")
    op.execute("UPDATE statements SET refers = voids WHERE voids IS NOT NULL")


def downgrade() -> None:
    op.drop_index(op.f("ix_statements_refers"), "statements")
    op.drop_column("statements", "refers")
    for name in ("statement_links", "xapi_attachments", "xapi_activities", "xapi_documents"):
        op.drop_table(name)
