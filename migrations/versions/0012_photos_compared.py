"""Keep how the store described a photo when its bytes were last compared with their hash.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("e_tag", sa.String(128), nullable=True))


def downgrade() -> None:
    op.drop_column("snapshots", "e_tag")
