"""Recall: decided questions are found again by their words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index. What is not decided, or was erased, is not in it;"""
    op.create_index(
        "review_recall_idx",
        "review",
        [sa.text("((card::jsonb ->> 'tool'::text))"), "decided_at"],
        postgresql_where=sa.text("status = 'decided' AND card IS NOT NULL"),
    )


def downgrade() -> None:
    """Drop the index; recall is slower without it."""
    op.drop_index("review_recall_idx", "review")
