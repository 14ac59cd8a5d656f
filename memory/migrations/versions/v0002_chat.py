"""Threads of the chat, what was said in them, and the runs that they show."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_NOW = sa.text("clock_timestamp()")


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "chat_thread",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("draft", sa.Text(), comment="the request that is being completed, as JSON"),
        sa.Column("begun_at", _MOMENT, server_default=_NOW, nullable=False),
        sa.Column("touched_at", _MOMENT, server_default=_NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name="chat_thread_pkey"),
    )
    op.create_index("chat_thread_person_touched_at_idx", "chat_thread", ["person", "touched_at"])
    op.create_table(
        "chat_remark",
        _thread_id("chat_remark"),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", _MOMENT, server_default=_NOW, nullable=False),
        sa.Column("said_by", sa.Text(), nullable=False, comment="a person's id; empty: Steward"),
        sa.Column("body", sa.Text(), nullable=False, comment="words, and ids of what is drawn below them, as JSON"),
        sa.PrimaryKeyConstraint("thread_id", "id", name="chat_remark_pkey"),
    )
    op.create_table(
        "chat_run",
        sa.Column("run_id", sa.Uuid(), sa.ForeignKey("run.id", name="chat_run_run_id_fkey"), nullable=False),
        _thread_id("chat_run"),
        sa.PrimaryKeyConstraint("run_id", "thread_id", name="chat_run_pkey"),
    )
    op.create_index("chat_run_thread_id_idx", "chat_run", ["thread_id"])


def downgrade() -> None:
    """Drop the tables: a thread only shows runs, so nothing but words is lost."""
    for table in ("chat_run", "chat_remark", "chat_thread"):
        op.drop_table(table)


def _thread_id(table: str) -> sa.Column[object]:
    return sa.Column(
        "thread_id",
        sa.Uuid(),
        sa.ForeignKey("chat_thread.id", name=f"{table}_thread_id_fkey", ondelete="CASCADE"),
        nullable=False,
    )
