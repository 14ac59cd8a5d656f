"""Calls of models: what each took, so that limits hold over all processes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_NOTHING, _NONE = sa.text("''"), sa.text("0")


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "model_call",
        sa.Column("run_id", sa.Text(), server_default=_NOTHING, nullable=False, comment="empty: outside runs"),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="what was to be decided"),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False, comment="name, version and digest"),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False, comment="business time"),
        sa.Column("ok", sa.Boolean(), comment="null: not over"),
        sa.Column("why", sa.Text(), server_default=_NOTHING, nullable=False),
        sa.Column("tokens_in", sa.BigInteger(), server_default=_NONE, nullable=False),
        sa.Column("tokens_out", sa.BigInteger(), server_default=_NONE, nullable=False),
        sa.Column(
            "cost_microusd", sa.BigInteger(), server_default=_NONE, nullable=False, comment="until its end: at most"
        ),
        sa.Column("latency_ms", sa.BigInteger(), server_default=_NONE, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "id", name="model_call_pkey"),
    )
    op.create_index("model_call_at_idx", "model_call", ["at"])


def downgrade() -> None:
    """Forget what models cost: no run depends on it."""
    op.drop_table("model_call")
