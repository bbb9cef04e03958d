"""A subsidy standard ends once a second person agrees

Revision ID: 0048
Revises: 0047
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0048"
down_revision = "0047"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("subsidy_standards", sa.Column("end_on", sa.String(length=128), nullable=True))
    op.add_column("subsidy_standards", sa.Column("end_by", sa.String(length=128), nullable=True))


def downgrade() -> None:
    op.drop_column("subsidy_standards", "end_by")
    op.drop_column("subsidy_standards", "end_on")
