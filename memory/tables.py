"""All tables of Steward. Alembic compares a migrated database with this; checkpoints are LangGraph's own tables.

The key of every table of a run begins with ``run_id``, as LangGraph's begin with ``thread_id``, so that run data can be
sharded by it. Rows that belong to events are written by ``sql/functions.sql`` in the transaction of their event.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Sequence,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import SchemaItem

METADATA = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
    }
)
WORKER_IDS = Sequence("worker_id_seq", metadata=METADATA, data_type=Integer)
_MOMENT = DateTime(timezone=True)
_NOTHING = text("''")


def _run_table(name: str, *parts: SchemaItem) -> Table:
    """A table of a run's rows; its first column is ``run_id``."""
    return Table(name, METADATA, Column("run_id", Uuid, ForeignKey("run.id"), nullable=False), *parts)


RUN = Table(
    "run",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("playbook", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("requester", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("waiting_for", Text, nullable=False, server_default=_NOTHING),
    Column("admitted_at", _MOMENT, nullable=False),
    Column("ended_at", _MOMENT),
    Column("wake_at", _MOMENT, comment="due from then on; null: nothing to do until somebody wakes it"),
    Column("owner", Integer, comment="the worker that holds it"),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("lease_until", _MOMENT),
    Column("claimed_seq", BigInteger, nullable=False, server_default=text("0"), comment="the journal's tail at claim"),
    Column("fruitless", Integer, nullable=False, server_default=text("0")),
    Column("dedupe", LargeBinary, unique=True, comment="sha256 of the trigger's key: keys may hold a person's data"),
    Column("priority", SmallInteger, nullable=False, server_default=text("0"), comment="-1 low … 2 urgent"),
    Column("claimed_at", _MOMENT),
    Column("deaths", SmallInteger, nullable=False, server_default=text("0"), comment="of its workers, in a row"),
    Column("blamed_seq", BigInteger, nullable=False, server_default=text("0"), comment="the tail at the first of them"),
    Column(
        "alone", Boolean, nullable=False, server_default=text("false"), comment="the only run in its worker's hands"
    ),
    Index("run_due_idx", "priority", "wake_at", postgresql_where=text("owner IS NULL AND wake_at IS NOT NULL")),
    Index(
        "run_suspect_idx",
        "wake_at",
        postgresql_where=text("owner IS NULL AND wake_at IS NOT NULL AND deaths >= 3"),
    ),
    Column("parent_id", Uuid, comment="the run that started it; no key: it may be elsewhere"),
    Column("parent_step", Text),
    Index("run_parent_id_idx", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
    Index("run_owned_idx", "owner", postgresql_where=text("owner IS NOT NULL")),
)

JOURNAL = _run_table(
    "journal",
    Column("seq", BigInteger, nullable=False),
    Column("at", _MOMENT, nullable=False),
    Column("kind", Text, nullable=False),
    Column("cause", Text, nullable=False),
    Column("body", Text, comment="canonical JSON; null after erasure"),
    Column("salt", LargeBinary),
    Column("body_digest", LargeBinary, nullable=False),
    Column("prev_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("run_id", "seq"),
    UniqueConstraint("run_id", "cause"),
)

REVIEW = _run_table(
    "review",
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("card", Text, comment="the card as JSON; null after erasure"),
    Column("approvers", ARRAY(Text), nullable=False),
    Column("asked_at", _MOMENT, nullable=False),
    Column("status", Text, nullable=False),
    Column("verdict", Text, comment="the verdict as JSON"),
    Column("decided_by", Text),
    Column("decided_at", _MOMENT),
    Column("closed_why", Text, nullable=False, server_default=_NOTHING),
    Column("closed_at", _MOMENT),
    Column("escalation", Text, comment="where it stands in its chain, as JSON; null: still level 0"),
    PrimaryKeyConstraint("run_id", "id"),
    Index("review_id_idx", "id"),
    Index("review_open_idx", "asked_at", postgresql_where=text("status = 'open'")),
    Index(
        "review_recall_idx",
        text("((card::jsonb ->> 'tool'::text))"),
        "decided_at",
        postgresql_where=text("status = 'decided' AND card IS NOT NULL"),
    ),
)

INBOX = _run_table(
    "inbox",
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", _MOMENT, nullable=False, server_default=text("clock_timestamp()")),
    Column("dedupe", LargeBinary, comment="sha256 of the sender's key"),
    PrimaryKeyConstraint("run_id", "id"),
    UniqueConstraint("run_id", "dedupe"),
)

TIMER = _run_table(
    "timer",
    Column("timer_id", Text, nullable=False),
    Column("due_at", _MOMENT, nullable=False),
    PrimaryKeyConstraint("run_id", "timer_id"),
    Index("timer_due_idx", "due_at"),
)

# An event of another system is no run's: any number of runs may take it. Kept for a week, so that it is taken once.
OUTSIDE_EVENT = Table(
    "outside_event",
    METADATA,
    Column("key", LargeBinary, primary_key=True, comment="sha256 of source and id"),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("at", _MOMENT, nullable=False, comment="business time at which it came"),
    Column("fields", JSONB, comment="what it can be known by: plain values by path; null after erasure"),
    Column("body", Text, comment="the event as JSON; null after erasure"),
    Column("woken", BigInteger, nullable=False, server_default=text("0"), comment="for so many steps it was left"),
    Index("outside_event_at_idx", "at"),
    Index("outside_event_fields_idx", "fields", postgresql_using="gin", postgresql_ops={"fields": "jsonb_path_ops"}),
)

# A step that waits for an outside event; gone when one was left for it.
SUBSCRIPTION = _run_table(
    "subscription",
    Column("step", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("wanted", JSONB, nullable=False, comment="values by path, the type among them"),
    Column("paths", ARRAY(Text), nullable=False, comment="those of wanted, in order"),
    Column("since", _MOMENT, nullable=False),
    Column("until", _MOMENT, nullable=False),
    PrimaryKeyConstraint("run_id", "step"),
    Index("subscription_wanted_idx", "wanted", postgresql_using="hash"),
    Index("subscription_type_paths_idx", "type", "paths"),
)

# Which events a run was given, so that its erasure reaches them.
EVENT_TAKEN = _run_table(
    "event_taken",
    Column("event_key", LargeBinary, ForeignKey("outside_event.key", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("run_id", "event_key"),
    Index("event_taken_event_key_idx", "event_key"),
)

# What came of decisions, for calibration: no person, no text of a run, no exact amount, so it outlives an erasure.
DECISION_SCORE = _run_table(
    "decision_score",
    Column("seq", BigInteger, nullable=False, comment="the journal entry that holds the decision"),
    Column("at", _MOMENT, nullable=False),
    Column("kind", Text, nullable=False),
    Column("playbook", Text, nullable=False),
    Column("tool", Text, nullable=False),
    Column("decider", Text, nullable=False, comment="rule:… or model:…, never a person"),
    Column("choice", Text, nullable=False),
    Column("rule", Text, nullable=False, comment="of the policy"),
    Column("confidence", Double, nullable=False),
    Column("outcome", Text, nullable=False, comment="right, overridden or failed"),
    Column("magnitude", Double, comment="the amount, down to 1, 2 or 5 times a power of ten"),
    PrimaryKeyConstraint("run_id", "seq"),
    Index("decision_score_kind_at_idx", "kind", "at"),
)

DECISION_SCORED = _run_table(
    "decision_scored",
    Column("seq", BigInteger, nullable=False, comment="the journal was read up to here"),
    Column("settled", Boolean, nullable=False, comment="nothing will change its scores any more"),
    PrimaryKeyConstraint("run_id"),
    Index("decision_scored_open_idx", "run_id", postgresql_where=text("NOT settled")),
)

# Earned rules are the company's, not a run's.
AUTONOMY_RULE = Table(
    "autonomy_rule",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("proposal", Text, nullable=False, comment="what is proposed, with its evidence, as JSON; never changes"),
    Column("status", Text, nullable=False),
    Column("decided_by", Text, nullable=False, server_default=_NOTHING),
    Column("decided_at", _MOMENT),
    Column("until", _MOMENT, comment="business time"),
    Column("why", Text, nullable=False, server_default=_NOTHING),
    Column("ended_at", _MOMENT),
)

# A thread belongs to a person, not to a run. It only shows runs, by their ids, and may be dropped.
CHAT_THREAD = Table(
    "chat_thread",
    METADATA,
    Column("id", Uuid, primary_key=True),
    Column("person", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("draft", Text, comment="the request that is being completed, as JSON"),
    Column("begun_at", _MOMENT, nullable=False, server_default=text("clock_timestamp()")),
    Column("touched_at", _MOMENT, nullable=False, server_default=text("clock_timestamp()")),
    Index("chat_thread_person_touched_at_idx", "person", "touched_at"),
)

CHAT_REMARK = Table(
    "chat_remark",
    METADATA,
    Column("thread_id", Uuid, ForeignKey("chat_thread.id", ondelete="CASCADE"), nullable=False),
    Column("id", Uuid, nullable=False),
    Column("at", _MOMENT, nullable=False, server_default=text("clock_timestamp()")),
    Column("said_by", Text, nullable=False, comment="a person's id; empty: Steward"),
    Column("body", Text, nullable=False, comment="words, and ids of what is drawn below them, as JSON"),
    PrimaryKeyConstraint("thread_id", "id"),
)

CHAT_RUN = _run_table(
    "chat_run",
    Column("thread_id", Uuid, ForeignKey("chat_thread.id", ondelete="CASCADE"), nullable=False),
    PrimaryKeyConstraint("run_id", "thread_id"),
    Index("chat_run_thread_id_idx", "thread_id"),
)

# Templates are no runs': each serves many. Nothing in them is a person's (agents/generalising.py).
PLAN_TEMPLATE = Table(
    "plan_template",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("key", Text, nullable=False, comment="digest of playbook, catalog, planner and shape"),
    Column("playbook", Text, nullable=False),
    Column("body", Text, nullable=False, comment="the template as JSON"),
    Column("kept_at", _MOMENT, nullable=False),
    Column("hits", BigInteger, nullable=False, server_default=text("0")),
    Column("hits_then", BigInteger, nullable=False, server_default=text("0"), comment="when it was last kept"),
    Column("dropped_at", _MOMENT),
    Column("dropped_by", Text, nullable=False, server_default=_NOTHING),
    Column("dropped_why", Text, nullable=False, server_default=_NOTHING),
    Index("plan_template_kept_idx", "key", unique=True, postgresql_where=text("dropped_at IS NULL")),
)

PLAN_TEMPLATE_MISS = Table(
    "plan_template_miss",
    METADATA,
    Column("playbook", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
    PrimaryKeyConstraint("playbook", "why"),
)

PLAN_TEMPLATE_FAILURE = _run_table(
    "plan_template_failure",
    Column("template_id", Text, ForeignKey("plan_template.id"), nullable=False),
    Column("step", Text, nullable=False, comment="as written, without an item's key"),
    Column("tool", Text, nullable=False),
    Column("at", _MOMENT, nullable=False),
    PrimaryKeyConstraint("run_id", "template_id"),
    Index("plan_template_failure_template_id_idx", "template_id"),
)

# Systems are no runs': one row for each, shared by all workers.
SYSTEM_HEALTH = Table(
    "system_health",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("number", Integer, Identity(always=True), nullable=False, comment="its advisory locks"),
    Column("failures", Integer, nullable=False, server_default=text("0"), comment="in a row"),
    Column("opened_at", _MOMENT, comment="business time; null: closed"),
    Column("why", Text, nullable=False, server_default=_NOTHING),
    Column("not_before", _MOMENT, comment="business time: it asked all to slow down"),
)

SYSTEM_RATE = Table(
    "system_rate",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("tokens", Double, nullable=False, comment="calls that may go now; below 0: promised to waiting ones"),
    Column("filled_at", _MOMENT, nullable=False),
    Column("promised_until", _MOMENT, nullable=False, comment="to calls that come back by a timer"),
)

# Holds no words of anybody: erasing a run leaves what it cost. Its run may be none, so it is no key of another table.
MODEL_CALL = Table(
    "model_call",
    METADATA,
    Column("run_id", Text, nullable=False, server_default=_NOTHING, comment="empty: outside runs"),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="what was to be decided"),
    Column("model", Text, nullable=False),
    Column("prompt", Text, nullable=False, comment="name, version and digest"),
    Column("at", _MOMENT, nullable=False, comment="business time"),
    Column("ok", Boolean, comment="null: not over"),
    Column("why", Text, nullable=False, server_default=_NOTHING),
    Column("tokens_in", BigInteger, nullable=False, server_default=text("0")),
    Column("tokens_out", BigInteger, nullable=False, server_default=text("0")),
    Column("cost_microusd", BigInteger, nullable=False, server_default=text("0"), comment="until its end: at most"),
    Column("latency_ms", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("run_id", "id"),
    Index("model_call_at_idx", "at"),
)
