"""Classes that a platform tries in, which never count

Revision ID: 0051
Revises: 0050
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0051"
down_revision = "0050"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "classes", sa.Column("sandbox", sa.Boolean(), server_default=sa.false(), nullable=False)
    )


def downgrade() -> None:
    """Raises while there are such classes: without their mark they would be real ones."""
    query = sa.text("SELECT count(*) FROM classes WHERE sandbox")
    left = op.get_bind().execute(query).scalar_one()
    if left:
        raise RuntimeError(f"{left} classes are sandboxes, which earlier versions would count")
    op.drop_column("classes", "sandbox")
