"""Outside events, the steps that wait for them, and which runs were given which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add the three tables."""
    op.create_table(
        "outside_event",
        sa.Column("key", sa.LargeBinary(), nullable=False, comment="sha256 of source and id"),
        sa.Column("seq", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", _MOMENT, nullable=False, comment="business time at which it came"),
        sa.Column(
            "fields",
            JSONB(),
            comment="what it can be known by: plain values by path; null after erasure",
            nullable=True,
        ),
        sa.Column("body", sa.Text(), comment="the event as JSON; null after erasure", nullable=True),
        sa.Column(
            "woken",
            sa.BigInteger(),
            server_default=sa.text("0"),
            nullable=False,
            comment="for so many steps it was left",
        ),
        sa.PrimaryKeyConstraint("key", name="outside_event_pkey"),
    )
    op.create_index("outside_event_at_idx", "outside_event", ["at"])
    op.create_index(
        "outside_event_fields_idx",
        "outside_event",
        ["fields"],
        postgresql_using="gin",
        postgresql_ops={"fields": "jsonb_path_ops"},
    )
    op.create_table(
        "subscription",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("wanted", JSONB(), nullable=False, comment="values by path, the type among them"),
        sa.Column("paths", ARRAY(sa.Text()), nullable=False, comment="those of wanted, in order"),
        sa.Column("since", _MOMENT, nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="subscription_run_id_fkey"),
        sa.PrimaryKeyConstraint("run_id", "step", name="subscription_pkey"),
    )
    op.create_index("subscription_wanted_idx", "subscription", ["wanted"], postgresql_using="hash")
    op.create_index("subscription_type_paths_idx", "subscription", ["type", "paths"])
    op.create_table(
        "event_taken",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("event_key", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_key"], ["outside_event.key"], name="event_taken_event_key_fkey", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="event_taken_run_id_fkey"),
        sa.PrimaryKeyConstraint("run_id", "event_key", name="event_taken_pkey"),
    )
    op.create_index("event_taken_event_key_idx", "event_taken", ["event_key"])


def downgrade() -> None:
    """Forget the events; steps that wait for one then wait for their deadline."""
    for function in (
        "steward_subscribe(subscription, bigint)",
        "steward_event_note(bigint, text, subscription)",
        "steward_publish(bytea, timestamptz, jsonb, text)",
        "steward_hold_types(jsonb)",
    ):
        op.execute(f"DROP FUNCTION IF EXISTS {function}")
    for table in ("event_taken", "subscription", "outside_event"):
        op.drop_table(table)
