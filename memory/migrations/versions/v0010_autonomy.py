"""What came of decisions, how far each run was read for that, and the rules that experience earned."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NOTHING = sa.text("''")


def upgrade() -> None:
    """Add the three tables; past runs are scored by the next `steward calibrate`."""
    op.create_table(
        "decision_score",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the journal entry that holds the decision"),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("tool", sa.Text(), nullable=False),
        sa.Column("decider", sa.Text(), nullable=False, comment="rule:… or model:…, never a person"),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False, comment="of the policy"),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False, comment="right, overridden or failed"),
        sa.Column("magnitude", sa.Double(), comment="the amount, down to 1, 2 or 5 times a power of ten"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="decision_score_run_id_fkey"),
        sa.PrimaryKeyConstraint("run_id", "seq", name="decision_score_pkey"),
    )
    op.create_index("decision_score_kind_at_idx", "decision_score", ["kind", "at"])
    op.create_table(
        "decision_scored",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False, comment="the journal was read up to here"),
        sa.Column("settled", sa.Boolean(), nullable=False, comment="nothing will change its scores any more"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="decision_scored_run_id_fkey"),
        sa.PrimaryKeyConstraint("run_id", name="decision_scored_pkey"),
    )
    unsettled = sa.text("NOT settled")
    op.create_index("decision_scored_open_idx", "decision_scored", ["run_id"], postgresql_where=unsettled)
    proposal = "what is proposed, with its evidence, as JSON; never changes"
    op.create_table(
        "autonomy_rule",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("proposal", sa.Text(), nullable=False, comment=proposal),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), server_default=_NOTHING, nullable=False),
        sa.Column("decided_at", _MOMENT),
        sa.Column("until", _MOMENT, comment="business time"),
        sa.Column("why", sa.Text(), server_default=_NOTHING, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.PrimaryKeyConstraint("id", name="autonomy_rule_pkey"),
    )


def downgrade() -> None:
    """Forget scores and earned rules: the journals still say what was decided, and every gate asks people again."""
    op.execute("DROP FUNCTION IF EXISTS steward_unreliable(jsonb)")
    op.drop_table("autonomy_rule")
    op.drop_table("decision_scored")
    op.drop_table("decision_score")
