"""The first tables: runs, their journal, reviews, inbox and timers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables. Functions, triggers and rights come from ``sql/functions.sql`` and ``sql/grants.sql``."""
    op.execute("CREATE SEQUENCE worker_id_seq AS integer CYCLE")
    _make_run()
    _make_journal()
    _make_review()
    op.create_table(
        "inbox",
        _run_id("inbox"),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", _MOMENT, server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("dedupe", sa.LargeBinary(), comment="sha256 of the sender's key"),
        sa.PrimaryKeyConstraint("run_id", "id", name="inbox_pkey"),
        sa.UniqueConstraint("run_id", "dedupe", name="inbox_run_id_dedupe_key"),
    )
    op.create_table(
        "timer",
        _run_id("timer"),
        sa.Column("timer_id", sa.Text(), nullable=False),
        sa.Column("due_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("run_id", "timer_id", name="timer_pkey"),
    )
    op.create_index("timer_due_idx", "timer", ["due_at"])


def downgrade() -> None:
    """Drop the tables, and with them all that Steward remembers."""
    op.execute("DROP FUNCTION IF EXISTS steward_admit, steward_append, steward_write_rows, steward_erase")
    for table in ("timer", "inbox", "review", "journal", "run"):
        op.drop_table(table)
    op.execute("DROP FUNCTION IF EXISTS steward_guard_journal")
    op.execute("DROP SEQUENCE worker_id_seq")


def _run_id(table: str) -> sa.Column[object]:
    return sa.Column("run_id", sa.Uuid(), sa.ForeignKey("run.id", name=f"{table}_run_id_fkey"), nullable=False)


def _make_run() -> None:
    op.create_table(
        "run",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("requester", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("waiting_for", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("admitted_at", _MOMENT, nullable=False),
        sa.Column("ended_at", _MOMENT),
        sa.Column("wake_at", _MOMENT, comment="due from then on; null: nothing to do until somebody wakes it"),
        sa.Column("owner", sa.Integer(), comment="the worker that holds it"),
        sa.Column("epoch", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("lease_until", _MOMENT),
        sa.Column(
            "claimed_seq",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="the journal's tail at claim",
        ),
        sa.Column("fruitless", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("dedupe", sa.LargeBinary(), comment="sha256 of the trigger's key: keys may hold a person's data"),
        sa.PrimaryKeyConstraint("id", name="run_pkey"),
        sa.UniqueConstraint("dedupe", name="run_dedupe_key"),
    )
    # A waiting run is in neither index, so any number of them costs the claim nothing.
    op.create_index(
        "run_due_idx", "run", ["wake_at"], postgresql_where=sa.text("owner IS NULL AND wake_at IS NOT NULL")
    )
    op.create_index("run_owned_idx", "run", ["owner"], postgresql_where=sa.text("owner IS NOT NULL"))


def _make_journal() -> None:
    op.create_table(
        "journal",
        _run_id("journal"),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", _MOMENT, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), comment="canonical JSON; null after erasure"),
        sa.Column("salt", sa.LargeBinary()),
        sa.Column("body_digest", sa.LargeBinary(), nullable=False),
        sa.Column("prev_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "seq", name="journal_pkey"),
        sa.UniqueConstraint("run_id", "cause", name="journal_run_id_cause_key"),
    )


def _make_review() -> None:
    op.create_table(
        "review",
        _run_id("review"),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), comment="the card as JSON; null after erasure"),
        sa.Column("approvers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("asked_at", _MOMENT, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), comment="the verdict as JSON"),
        sa.Column("decided_by", sa.Text()),
        sa.Column("decided_at", _MOMENT),
        sa.Column("closed_why", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("closed_at", _MOMENT),
        sa.PrimaryKeyConstraint("run_id", "id", name="review_pkey"),
    )
    op.create_index("review_id_idx", "review", ["id"])
    op.create_index("review_open_idx", "review", ["asked_at"], postgresql_where=sa.text("status = 'open'"))
