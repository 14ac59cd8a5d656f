"""What workers share: priorities of runs, deaths that a run may have caused, the health of systems, and their rates."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NONE = sa.text("0")


def upgrade() -> None:
    """Add the columns and the two tables of systems."""
    op.add_column("run", _count("priority", "-1 low … 2 urgent"))
    op.add_column("run", sa.Column("claimed_at", _MOMENT))
    op.add_column("run", _count("deaths", "of its workers, in a row"))
    first = "the tail at the first of them"
    op.add_column("run", sa.Column("blamed_seq", sa.BigInteger(), server_default=_NONE, nullable=False, comment=first))
    no, only = sa.text("false"), "the only run in its worker's hands"
    op.add_column("run", sa.Column("alone", sa.Boolean(), server_default=no, nullable=False, comment=only))
    op.drop_index("run_due_idx", "run")
    due = sa.text("owner IS NULL AND wake_at IS NOT NULL")
    op.create_index("run_due_idx", "run", ["priority", "wake_at"], postgresql_where=due)
    suspect = sa.text("owner IS NULL AND wake_at IS NOT NULL AND deaths >= 3")
    op.create_index("run_suspect_idx", "run", ["wake_at"], postgresql_where=suspect)
    op.create_table(
        "system_health",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), sa.Identity(always=True), nullable=False, comment="its advisory locks"),
        sa.Column("failures", sa.Integer(), server_default=_NONE, nullable=False, comment="in a row"),
        sa.Column("opened_at", _MOMENT, comment="business time; null: closed"),
        sa.Column("why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("not_before", _MOMENT, comment="business time: it asked all to slow down"),
        sa.PrimaryKeyConstraint("name", name="system_health_pkey"),
    )
    op.create_table(
        "system_rate",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "tokens", sa.Double(), nullable=False, comment="calls that may go now; below 0: promised to waiting ones"
        ),
        sa.Column("filled_at", _MOMENT, nullable=False),
        sa.Column("promised_until", _MOMENT, nullable=False, comment="to calls that come back by a timer"),
        sa.PrimaryKeyConstraint("name", name="system_rate_pkey"),
    )


def _count(name: str, comment: str) -> sa.Column[int]:
    return sa.Column(name, sa.SmallInteger(), server_default=_NONE, nullable=False, comment=comment)


def downgrade() -> None:
    """Forget priorities, suspicions and the state of systems: no run depends on them."""
    op.drop_table("system_rate")
    op.drop_table("system_health")
    op.drop_index("run_suspect_idx", "run")
    op.drop_index("run_due_idx", "run")
    for column in ("alone", "blamed_seq", "deaths", "claimed_at", "priority"):
        op.drop_column("run", column)
    due = sa.text("owner IS NULL AND wake_at IS NOT NULL")
    op.create_index("run_due_idx", "run", ["wake_at"], postgresql_where=due)
