"""What the application shows of runs: plain values for every surface, and nothing that needs another look-up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from governance.chain import Entry
from governance.decisions import Decision
from governance.differences import PlanDifference
from governance.effects import UndoItem
from governance.findings import Finding
from governance.policy import Ruling
from governance.runs import ReviewRow, RunRow
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
    of a run that takes back, newest effect first.
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

    @property
    def all_steps(self) -> tuple[StepView, ...]:
        """The plan's steps, then those that take them back."""
        return (*self.steps, *self.undos)


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
