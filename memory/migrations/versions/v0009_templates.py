"""Plans that are kept, what became of them, and why others were not."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NOTHING = sa.text("''")


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "plan_template",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False, comment="digest of playbook, catalog, planner and shape"),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False, comment="the template as JSON"),
        sa.Column("kept_at", _MOMENT, nullable=False),
        sa.Column("hits", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "hits_then", sa.BigInteger(), server_default=sa.text("0"), nullable=False, comment="when it was last kept"
        ),
        sa.Column("dropped_at", _MOMENT),
        sa.Column("dropped_by", sa.Text(), server_default=_NOTHING, nullable=False),
        sa.Column("dropped_why", sa.Text(), server_default=_NOTHING, nullable=False),
        sa.PrimaryKeyConstraint("id", name="plan_template_pkey"),
    )
    kept = sa.text("dropped_at IS NULL")
    op.create_index("plan_template_kept_idx", "plan_template", ["key"], unique=True, postgresql_where=kept)
    op.create_table(
        "plan_template_miss",
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("playbook", "why", name="plan_template_miss_pkey"),
    )
    op.create_table(
        "plan_template_failure",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Text(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False, comment="as written, without an item's key"),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="plan_template_failure_run_id_fkey"),
        sa.ForeignKeyConstraint(["template_id"], ["plan_template.id"], name="plan_template_failure_template_id_fkey"),
        sa.PrimaryKeyConstraint("run_id", "template_id", name="plan_template_failure_pkey"),
    )
    op.create_index("plan_template_failure_template_id_idx", "plan_template_failure", ["template_id"])


def downgrade() -> None:
    """Forget all kept plans: planners are asked again."""
    op.drop_table("plan_template_failure")
    op.drop_table("plan_template_miss")
    op.drop_table("plan_template")
