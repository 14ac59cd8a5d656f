"""Runs that were started by another run know which, and by which of its steps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; runs that are there have no parent."""
    op.add_column(
        "run", sa.Column("parent_id", sa.Uuid(), comment="the run that started it; no key: it may be elsewhere")
    )
    op.add_column("run", sa.Column("parent_step", sa.Text()))
    op.create_index("run_parent_id_idx", "run", ["parent_id"], postgresql_where=sa.text("parent_id IS NOT NULL"))


def downgrade() -> None:
    """Drop them: the journals of children still say whose they are."""
    op.drop_index("run_parent_id_idx", table_name="run")
    op.drop_column("run", "parent_step")
    op.drop_column("run", "parent_id")
