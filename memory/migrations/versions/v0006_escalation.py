"""Where a question stands in its chain."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; open questions are on level 0."""
    comment = "where it stands in its chain, as JSON; null: still level 0"
    op.add_column("review", sa.Column("escalation", sa.Text(), comment=comment))


def downgrade() -> None:
    """Drop it: what the journals say of escalation stays there."""
    op.drop_column("review", "escalation")
