"""The kinds of events in a run's journal, one frozen model each. ``docs/reference/events.md`` is made from this file."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from governance.decisions import Decision
from governance.effects import Failure, FailureClass, Intent, LookupAnswer, StepStatus, UndoItem
from governance.findings import Finding
from governance.policy import Ruling
from governance.reviews import ReviewCard, Verdict


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RunAdmitted(_Body):
    """A trigger brought a request, and the run exists. The first event of every journal."""

    kind: Literal["run.admitted"] = "run.admitted"
    playbook: str
    playbook_digest: str
    request: dict[str, Any]
    requester: str
    source: str
    title: str
    dry: bool = False
    understanding: Decision | None = None


class RequestUnderstood(_Body):
    """The request as the run will use it: defaults filled in, derived fields added."""

    kind: Literal["request.understood"] = "request.understood"
    request: dict[str, Any]
    decision: Decision


class PlanWritten(_Body):
    """A revision of the plan. ``plan`` is the document as written, right or wrong."""

    kind: Literal["plan.written"] = "plan.written"
    revision: int
    plan: dict[str, Any]
    author: str
    decision: Decision


class PlanChecked(_Body):
    """What the checker and the policy say about a revision."""

    kind: Literal["plan.checked"] = "plan.checked"
    revision: int
    ok: bool
    plan_digest: str
    tools: dict[str, str] = Field(default_factory=dict, description="tool@version to digest of its contract: pinned")
    findings: tuple[Finding, ...] = ()
    rulings: tuple[Ruling, ...] = ()


class ReviewAsked(_Body):
    """A question was put to people."""

    kind: Literal["review.asked"] = "review.asked"
    card: ReviewCard


class ReviewDecided(_Body):
    """A person answered. ``decision`` holds reasoning and who; ``grants`` is the action digest allowed by it, or empty."""

    kind: Literal["review.decided"] = "review.decided"
    review_id: str
    step: str
    by: str
    verdict: Verdict
    grants: str = ""
    decision: Decision


class ReviewClosed(_Body):
    """A question went away unanswered: withdrawn (replan, cancel, changed arguments) or expired."""

    kind: Literal["review.closed"] = "review.closed"
    review_id: str
    step: str
    status: Literal["withdrawn", "expired"]
    why: str


class StepIntended(_Body):
    """An effect is about to be tried: durable before the first byte is sent."""

    kind: Literal["step.intended"] = "step.intended"
    intent: Intent


class StepAttempted(_Body):
    """An attempt failed. ``retry_at`` is when the next may start (None: not by itself)."""

    kind: Literal["step.attempted"] = "step.attempted"
    step: str
    number: int
    failure: Failure
    retry_at: datetime | None = None


class StepTried(_Body):
    """An open intent is tried again, by a later slice: from here on the effect may be on its way."""

    kind: Literal["step.tried"] = "step.tried"
    step: str


class StepWaiting(_Body):
    """Nothing more can be done about a step before ``until``. ``doubt``: its effect may have happened all the same."""

    kind: Literal["step.waiting"] = "step.waiting"
    step: str
    until: datetime
    why: str
    doubt: bool


class StepReconciled(_Body):
    """After an ambiguous attempt the system was asked whether it had happened."""

    kind: Literal["step.reconciled"] = "step.reconciled"
    step: str
    answer: LookupAnswer
    evidence: str = ""


class StepEnded(_Body):
    """A step is over. ``found`` marks what was there already: it is not ours and is never undone."""

    kind: Literal["step.ended"] = "step.ended"
    step: str
    tool: str
    status: StepStatus
    args: dict[str, Any] = Field(default_factory=dict)
    output: dict[str, Any] | None = None
    found: bool = False
    simulated: bool = False
    failure: Failure | None = None
    why: str = ""


class Recovery(StrEnum):
    """What may be done about a failure."""

    RETRY = "retry"
    REPLAN = "replan"
    ASK = "ask"
    COMPENSATE = "compensate"


class FailureDiagnosed(_Body):
    """What a failure, refusal or cancel leads to."""

    kind: Literal["failure.diagnosed"] = "failure.diagnosed"
    step: str
    failure: FailureClass | None
    choice: Recovery
    decision: Decision


class CancelAsked(_Body):
    """A person wants the run to stop."""

    kind: Literal["cancel.asked"] = "cancel.asked"
    by: str
    reason: str


class RunParked(_Body):
    """The run cannot go on by itself. People see why, what was done, and how it would be undone."""

    kind: Literal["run.parked"] = "run.parked"
    reason: str
    undo: tuple[UndoItem, ...] = ()
    poison: bool = False


class RunResumed(_Body):
    """A person sent a parked run on; the named steps are tried again."""

    kind: Literal["run.resumed"] = "run.resumed"
    by: str
    reason: str
    steps: tuple[str, ...] = ()


class InputDropped(_Body):
    """Something in the inbox came too late or fits nothing; kept, so that nobody asks where it went."""

    kind: Literal["input.dropped"] = "input.dropped"
    what: str
    why: str


class RunReported(_Body):
    """What the run did, in words for its requester."""

    kind: Literal["run.reported"] = "run.reported"
    summary: str


class RunEnded(_Body):
    """The last event. CLOSED: a person closed a parked run; CANCELLED: stopped before any effect stood."""

    kind: Literal["run.ended"] = "run.ended"
    status: Literal["done", "cancelled", "closed"]


Body = Annotated[
    RunAdmitted
    | RequestUnderstood
    | PlanWritten
    | PlanChecked
    | ReviewAsked
    | ReviewDecided
    | ReviewClosed
    | StepIntended
    | StepTried
    | StepAttempted
    | StepWaiting
    | StepReconciled
    | StepEnded
    | FailureDiagnosed
    | CancelAsked
    | RunParked
    | RunResumed
    | InputDropped
    | RunReported
    | RunEnded,
    Field(discriminator="kind"),
]
BODY: TypeAdapter[Body] = TypeAdapter(Body)


class RunStatus(StrEnum):
    """Where a run stands, for lists."""

    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"
    PARKED = "parked"
    DONE = "done"
    CANCELLED = "cancelled"
    CLOSED = "closed"


ENDED = frozenset({RunStatus.DONE, RunStatus.CANCELLED, RunStatus.CLOSED})
