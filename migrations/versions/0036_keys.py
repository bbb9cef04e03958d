"""Generations of keys, identities of a sign-on service, and whose statements are

Revision ID: 0036
Revises: 0035
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "vault_keys",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("purpose", sa.String(length=128), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("suite", sa.String(length=128), nullable=False),
        sa.Column("standing", sa.String(length=128), nullable=False),
        sa.Column("made_ms", sa.BigInteger(), nullable=False),
        sa.Column("superseded_ms", sa.BigInteger(), nullable=True),
        sa.Column("swept", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vault_keys")),
        sa.UniqueConstraint("purpose", "generation", name=op.f("uq_vault_keys_purpose_generation")),
    )
    op.create_table(
        "vault_key_wraps",
        sa.Column("key_id", ID, nullable=False),
        sa.Column("master", sa.String(length=128), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["vault_keys.id"], op.f("fk_vault_key_wraps_key_id")),
        sa.PrimaryKeyConstraint("key_id", "master", name=op.f("pk_vault_key_wraps")),
    )
    op.create_table(
        "foreign_identities",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("issuer", sa.String(length=2000), nullable=False),
        sa.Column("subject", sa.String(length=255), nullable=False),
        sa.Column("told_name", sa.String(length=128), nullable=False),
        sa.Column("first_ms", sa.BigInteger(), nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("linked_by", sa.String(length=128), nullable=True),
        sa.Column("linked_ms", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], op.f("fk_foreign_identities_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_foreign_identities")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_foreign_identities_issuer_subject")),
    )
    op.create_index(op.f("ix_foreign_identities_user_id"), "foreign_identities", ["user_id"])
    for table in ("persons", "identity_corrections"):
        op.add_column(
            table, sa.Column("hash_generation", sa.Integer(), server_default="1", nullable=False)
        )
    op.add_column("statements", sa.Column("account", sa.LargeBinary(32), nullable=True))
    op.create_index("ix_statements_account", "statements", ["platform_id", "account"])


def downgrade() -> None:
    op.drop_index("ix_statements_account", table_name="statements")
    op.drop_column("statements", "account")
    for table in ("persons", "identity_corrections"):
        op.drop_column(table, "hash_generation")
    op.drop_index(op.f("ix_foreign_identities_user_id"), table_name="foreign_identities")
    op.drop_table("foreign_identities")
    op.drop_table("vault_key_wraps")
    op.drop_table("vault_keys")
