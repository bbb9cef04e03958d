"""Whom to ask at an institution, and the account that its subsidies are paid to

Revision ID: 0035
Revises: 0034
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

COLUMNS = ("contact", "bank", "bank_account")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("institutions", sa.Column(name, sa.String(length=128), nullable=True))


def downgrade() -> None:
    for name in reversed(COLUMNS):
        op.drop_column("institutions", name)
