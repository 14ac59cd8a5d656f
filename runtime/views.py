"""What the application shows of runs: plain values for every surface, and nothing that needs another look-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from governance.calibration import Calibration
from governance.chain import Entry, Verified
from governance.decisions import Decision, DecisionKind
from governance.differences import PlanDifference
from governance.effects import UndoItem
from governance.findings import Finding
from governance.policy import Ruling
from governance.record import DecisionRecord, PlannedStep, Spent, spent
from governance.runs import ReviewRow, RunRow
from governance.templates import Missed, TemplateRow
from plans.language import Plan


@dataclass(frozen=True)
class StepView:
    """A step as it stands. ``state``: planned, waiting, running, done, found, skipped, failed, refused or unknown.

    ``waits_for``: the people who may answer its open question by now.
    ``undoes``: the id of the step whose effect this one takes back.
    """

    id: str
    tool: str
    system: str
    reason: str
    confidence: float
    state: str
    needs: tuple[str, ...] = ()
    args: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] | None = None
    ruling: Ruling | None = None
    review_id: str = ""
    waits_for: tuple[str, ...] = ()
    attempts: int = 0
    retries: int = 0
    reconciled: str = ""
    began: datetime | None = None
    ended: datetime | None = None
    problem: str = ""
    undoes: str = ""


@dataclass(frozen=True)
class RunView:
    """A run, whole: what ``show`` prints, the chat draws and the API returns. ``seen_at``: when, in business time.

    ``steps`` has those of the plan and, after each with ``for_each``, one for each of its items. ``difference`` is what
    the current revision changed after a failure. ``undo`` is what would take back what stands; ``undos`` are the steps
    of a run that takes back, newest effect first. ``template`` is the kept plan that the current one was taken from.
    """

    row: RunRow
    seen_at: datetime
    request: dict[str, Any]
    plan: Plan | None
    revision: int
    findings: tuple[Finding, ...]
    steps: tuple[StepView, ...]
    reviews: tuple[ReviewRow, ...]
    decisions: tuple[Decision, ...]
    undo: tuple[UndoItem, ...]
    parked_because: str
    at_risk: str
    report: str
    timeline: tuple[Entry, ...]
    children: tuple[RunRow, ...] = ()
    difference: PlanDifference | None = None
    undos: tuple[StepView, ...] = ()
    template: str = ""

    @property
    def all_steps(self) -> tuple[StepView, ...]:
        """The plan's steps, then those that take them back."""
        return (*self.steps, *self.undos)


@dataclass(frozen=True)
class StepDecisions:
    """The decisions about one step, in order of time. ``planned`` is what the latest plan says of it, if it has it."""

    step: str
    planned: PlannedStep | None
    records: tuple[DecisionRecord, ...]


@dataclass(frozen=True)
class RunDecisions:
    """Every decision of a run, and whether the journal that they are read from holds. ``head`` is its last hash."""

    row: RunRow
    records: tuple[DecisionRecord, ...]
    verified: Verified
    head: str

    @property
    def spent(self) -> Spent:
        """What asking models took."""
        return spent(self.records)

    @property
    def overridden(self) -> tuple[DecisionRecord, ...]:
        """Those that people went against."""
        return tuple(record for record in self.records if record.overridden)

    @property
    def of_run(self) -> tuple[DecisionRecord, ...]:
        """Those about the run as a whole."""
        return tuple(record for record in self.records if not record.step)

    @property
    def by_step(self) -> tuple[StepDecisions, ...]:
        """Those about steps, in the order of the plan. A ruling that repeats the one before it is left out."""
        planned = {each.step: each for record in self.records for each in record.planned}
        steps = dict.fromkeys([*planned, *(record.step for record in self.records if record.step)])
        groups = (StepDecisions(step, planned.get(step), self._about(step)) for step in steps)
        return tuple(group for group in groups if group.records)

    def _about(self, step: str) -> tuple[DecisionRecord, ...]:
        told: list[DecisionRecord] = []
        ruled: tuple[object, ...] = ()
        for record in (each for each in self.records if each.step == step):
            says = (record.choice, record.decider, record.evidence)
            if record.kind is DecisionKind.RULING:
                if says == ruled:
                    continue
                ruled = says
            told.append(record)
        return tuple(told)


@dataclass(frozen=True)
class Preview:
    """What a run would do: made without acting, journaling or admitting."""

    playbook: str
    title: str
    request: dict[str, Any]
    plan: Plan | None
    needs: dict[str, tuple[str, ...]]
    findings: tuple[Finding, ...]
    rulings: tuple[Ruling, ...]
    undo: tuple[UndoItem, ...]
    decision: Decision


@dataclass(frozen=True)
class TemplateView:
    """A template: ``standing`` is ``in use``, ``out of date`` (its playbook, the catalog or the planner changed) or ``dropped``."""

    id: str
    standing: str
    row: TemplateRow
    saved_calls: int
    saved_microusd: int
    saved_ms: int


@dataclass(frozen=True)
class TemplatesView:
    """All templates, and the plans that did not come from one: those are the misses whose ``why`` begins otherwise than ``not kept``."""

    templates: tuple[TemplateView, ...]
    misses: tuple[Missed, ...]

    @property
    def hits(self) -> int:
        """Runs that took their plan from a template."""
        return sum(one.row.hits for one in self.templates)

    @property
    def planned(self) -> int:
        """Runs whose first plan a planner was asked for, though plans are kept for their playbook."""
        return sum(one.count for one in self.misses if not one.why.startswith("not kept"))


@dataclass(frozen=True)
class KindFigures:
    """How well one kind of decision knows itself: as stated, and corrected by experience of the others of its kind.

    ``corrected`` is None while there is too little experience. ``overridden`` and ``failed`` count what was not right.
    """

    kind: str
    overridden: int
    failed: int
    stated: Calibration
    corrected: Calibration | None


@dataclass(frozen=True)
class Source:
    """Where a sentence comes from: the call, and when it was made (business time)."""

    tool: str
    args: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True)
class Statement:
    """A sentence of an answer, with its sources; there is at least one."""

    text: str
    sources: tuple[Source, ...]


@dataclass(frozen=True)
class Told:
    """What is said to a question: statements, or none and ``why``."""

    statements: tuple[Statement, ...]
    why: str
    decision: Decision
