"""The second key of a learner, while what lies under the first is encrypted anew

Revision ID: 0050
Revises: 0049
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0050"
down_revision = "0049"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("learner_keys", sa.Column("other", sa.LargeBinary(), nullable=True))
    op.add_column("learner_keys", sa.Column("other_ms", sa.BigInteger(), nullable=True))
    op.add_column("learner_keys", sa.Column("turned_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """Raises while an exchange is under way: some of it opens by the second key alone."""
    query = sa.text("SELECT count(*) FROM learner_keys WHERE other IS NOT NULL")
    left = op.get_bind().execute(query).scalar_one()
    if left:
        raise RuntimeError(f"{left} learners have two keys: `zhenxue keys resume` first")
    op.drop_column("learner_keys", "turned_ms")
    op.drop_column("learner_keys", "other_ms")
    op.drop_column("learner_keys", "other")
