"""The decision record: each decision of a run as one flat line that answers for itself, tied to its journal entry.

It is the form in which decisions leave Steward (``steward decisions export``), so it has a version of its own.
Made from the journal by ``runtime.record``; nothing else makes one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from governance.decisions import Alternative, Confidence, DecisionKind, ModelUse
from governance.policy import RulingKind

SCHEMA: Literal["steward.decision/1"] = "steward.decision/1"


class _Part(BaseModel):
    # A line with fields of a later day is still a record.
    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class RulingNote(_Part):
    """What the policy said about the step that a decision is about."""

    kind: RulingKind
    rule: str
    because: str


class PlannedStep(_Part):
    """A step of a plan as its author chose it: which tool, why, and how sure (0 to 1)."""

    step: str
    tool: str
    reason: str = ""
    confidence: Confidence | None = None


class Override(_Part):
    """That a person decided otherwise later: who, when, what instead, and why. ``record`` is that decision's id."""

    record: str
    by: str
    at: datetime
    choice: str
    why: str


class DecisionRecord(_Part):
    """One decision of a run.

    ``id`` is ``<run>/<seq>/<n>``: the ``n``-th decision in the journal entry ``seq``, whose ``hash`` (hexadecimal) is
    the one in the chain. ``decider`` is ``rule:…``, ``model:…`` or ``person:…``. ``step`` is empty for what concerns
    the whole run. ``confidence`` is 0 to 1, and None, like all that was said, where the run was ``erased``.
    """

    schema_: Literal["steward.decision/1"] = Field(default=SCHEMA, alias="schema", description="version of this form")
    id: str
    run_id: str
    playbook: str = Field(description="with its version; empty where it was erased")
    seq: int = Field(ge=1, description="the journal entry that proves it")
    at: datetime = Field(description="business time of that entry")
    hash: str = Field(description="of that entry, hexadecimal")
    kind: DecisionKind
    step: str = Field(default="", description="the step it is about; empty: the run as a whole")
    subject: str = ""
    choice: str = ""
    alternatives: tuple[Alternative, ...] = ()
    reasoning: str = ""
    confidence: Confidence | None = None
    evidence: tuple[str, ...] = ()
    decider: str = ""
    revision: int | None = Field(default=None, description="of the plan, for plans and rulings")
    planned: tuple[PlannedStep, ...] = Field(default=(), description="for plans: the steps that were chosen")
    review: str = Field(default="", description="the question that it advises on or answers")
    ruling: RulingNote | None = Field(default=None, description="what the policy said about the step by then")
    use: ModelUse | None = Field(default=None, description="what asking a model took; null: none was asked")
    overridden: tuple[Override, ...] = Field(
        default=(), description="what people decided later about the same, otherwise"
    )
    overrides: tuple[str, ...] = Field(default=(), description="ids of the decisions that it goes against")
    erased: bool = Field(
        default=False, description="the run's data was erased: that there was a decision is all that is left"
    )

    @property
    def by_person(self) -> bool:
        """Whether a person decided."""
        return self.decider.startswith("person:")

    def shape(self) -> dict[str, Any]:
        """The record as plain JSON: a line of an export."""
        return self.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True)
class Wanted:
    """Which decisions an export has. None, and no kinds, mean all. ``playbook`` with or without its version;

    ``since`` is the first moment and ``until`` the first after.
    """

    playbook: str | None = None
    kinds: frozenset[DecisionKind] = frozenset()
    since: datetime | None = None
    until: datetime | None = None

    def fits(self, record: DecisionRecord) -> bool:
        """Whether a record of a run under the playbook is wanted."""
        begun = self.since is None or record.at >= self.since
        ended = self.until is not None and record.at >= self.until
        return begun and not ended and (not self.kinds or record.kind in self.kinds)


class Spent(_Part):
    """What asking models took, in sum. ``asked``: decisions for which one was asked; cost in millionths of a dollar."""

    asked: int = 0
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    cost_microusd: int = 0
    latency_ms: int = 0


def spent(records: Iterable[DecisionRecord]) -> Spent:
    """The sum over records."""
    uses = [record.use for record in records if record.use is not None]
    return Spent(
        asked=len(uses),
        calls=sum(use.calls for use in uses),
        tokens_in=sum(use.tokens_in for use in uses),
        tokens_out=sum(use.tokens_out for use in uses),
        cost_microusd=sum(use.cost_microusd for use in uses),
        latency_ms=sum(use.latency_ms for use in uses),
    )


def record_schema() -> dict[str, Any]:
    """The JSON Schema of a record, ``docs/reference/decision.schema.json``: open to fields of a later day."""
    schema = DecisionRecord.model_json_schema(by_alias=True, mode="serialization")
    for part in schema["$defs"].values():
        part.pop("additionalProperties", None)
    return schema
