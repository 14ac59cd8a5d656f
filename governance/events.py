"""The kinds of events in a run's journal, one frozen model each. ``docs/reference/events.md`` is made from this file."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from governance.budgets import Raise
from governance.decisions import Decision
from governance.differences import PlanDifference
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
    priority: int = Field(default=0, ge=-1, le=2)
    parent: str = Field(default="", description="the run that started this one, or empty")
    parent_step: str = ""
    depth: int = Field(default=0, description="how many runs stand above this one")


class RequestUnderstood(_Body):
    """The request as the run will use it: defaults filled in, derived fields added."""

    kind: Literal["request.understood"] = "request.understood"
    request: dict[str, Any]
    decision: Decision


class PlanWritten(_Body):
    """A revision of the plan. ``plan`` is the document as written, right or wrong.

    ``instead_of`` are the failed steps that it does without (a replan); ``again`` those that were stopped meanwhile
    and are taken up anew. ``template`` is the kept plan that it was taken from, or empty.
    """

    kind: Literal["plan.written"] = "plan.written"
    revision: int
    plan: dict[str, Any]
    author: str
    decision: Decision
    instead_of: tuple[str, ...] = ()
    again: tuple[str, ...] = ()
    template: str = ""
    took_ms: int = Field(default=0, ge=0, description="how long its author took, in milliseconds")

    @cached_property
    def step_ids(self) -> tuple[str, ...]:
        """The ids of its steps, as far as there are any: a plan may be broken, until it is checked."""
        listed = self.plan.get("steps")
        steps = (step.get("id") for step in listed if isinstance(step, dict)) if isinstance(listed, list) else ()
        return tuple(step_id for step_id in steps if isinstance(step_id, str))


class PlanChecked(_Body):
    """What the checker and the policy say about a revision.

    A replan has its ``difference`` to the revision before; ``asks`` is the review without whose yes it is not run.
    """

    kind: Literal["plan.checked"] = "plan.checked"
    revision: int
    ok: bool
    plan_digest: str
    tools: dict[str, str] = Field(default_factory=dict, description="tool@version to digest of its contract: pinned")
    findings: tuple[Finding, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    difference: PlanDifference | None = None
    asks: str = ""


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


class ReviewReminded(_Body):
    """Nobody has answered yet, and the people who may were reminded, for the ``number``-th time on this level."""

    kind: Literal["review.reminded"] = "review.reminded"
    review_id: str
    step: str
    level: int
    number: int
    people: tuple[str, ...]
    again_at: datetime | None = None


class ReviewEscalated(_Body):
    """A question went up its chain: ``added`` may decide too, from ``asked_at`` on. Nobody there: it goes on at once.

    ``due_at`` None: the end of the chain of a question that stays open. ``ends``: at ``due_at`` it is refused.
    """

    kind: Literal["review.escalated"] = "review.escalated"
    review_id: str
    step: str
    level: int
    added: tuple[str, ...] = ()
    why: str
    asked_at: datetime
    due_at: datetime | None = None
    ends: bool = False


class RunAtRisk(_Body):
    """Four fifths of the time for a question (of one level of its chain), or for the whole run, are over."""

    kind: Literal["run.at_risk"] = "run.at_risk"
    what: Literal["review", "run"]
    review_id: str = ""
    step: str = ""
    level: int = 0
    due_at: datetime
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
    callback: str = Field(default="", description="sha256 of the address of this life of a deferred step")


class StepWaiting(_Body):
    """Nothing more can be done about a step before ``until``. ``doubt``: its effect may have happened all the same."""

    kind: Literal["step.waiting"] = "step.waiting"
    step: str
    until: datetime
    why: str
    doubt: bool


class StepDeferred(_Body):
    """A call was accepted and its answer comes later, at most by ``until``. ``stopping``: it was told to stop."""

    kind: Literal["step.deferred"] = "step.deferred"
    step: str
    until: datetime
    why: str
    stopping: bool = False


class StepAnswered(_Body):
    """A deferred step's answer came from outside; the step's end follows at once. ``by`` says through which door."""

    kind: Literal["step.answered"] = "step.answered"
    step: str
    by: str


class ExpandedItem(_Body):
    """One item of a step with ``for_each``: ``key`` tells it apart, ``value`` is what ``item`` refers to."""

    key: str
    value: Any


class StepExpanded(_Body):
    """A step with ``for_each`` has these items, once and for all; each is a step of its own from here on."""

    kind: Literal["step.expanded"] = "step.expanded"
    step: str
    items: tuple[ExpandedItem, ...]


class StepRuled(_Body):
    """A step's arguments are known by now, and the policy says something else of it than before the run.

    ``args_digest``: of the tool and the arguments that this ruling is about.
    """

    kind: Literal["step.ruled"] = "step.ruled"
    step: str
    args_digest: str
    ruling: Ruling


class StepChosen(_Body):
    """One of a plan's declared options was chosen, by a rule or a model; the step's end follows at once."""

    kind: Literal["step.chosen"] = "step.chosen"
    step: str
    decision: Decision


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


class UndoBegun(_Body):
    """From here on the run only takes back: ``items``, in this order, each as a step ``undo:<step>`` of its own.

    Calls in flight have ended. ``by`` is the person or the rule that chose it; ``ends`` is how the run ends when all is
    taken back.
    """

    kind: Literal["undo.begun"] = "undo.begun"
    why: str
    by: str
    items: tuple[UndoItem, ...]
    ends: Literal["cancelled", "undone"]


class RunResumed(_Body):
    """A person sent a parked run on; the named steps are tried again. ``more`` is what they added to its budget."""

    kind: Literal["run.resumed"] = "run.resumed"
    by: str
    reason: str
    steps: tuple[str, ...] = ()
    more: Raise | None = None


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
    """The last event.

    CLOSED: a person closed a parked run, and what was done stands. CANCELLED: somebody stopped it, and what could be
    taken back is. UNDONE: the same, after a failure or a refusal.
    """

    kind: Literal["run.ended"] = "run.ended"
    status: Literal["done", "cancelled", "closed", "undone"]


Body = Annotated[
    RunAdmitted
    | RequestUnderstood
    | PlanWritten
    | PlanChecked
    | ReviewAsked
    | ReviewDecided
    | ReviewClosed
    | ReviewReminded
    | ReviewEscalated
    | RunAtRisk
    | StepIntended
    | StepTried
    | StepAttempted
    | StepWaiting
    | StepDeferred
    | StepAnswered
    | StepExpanded
    | StepRuled
    | StepChosen
    | StepReconciled
    | StepEnded
    | FailureDiagnosed
    | CancelAsked
    | RunParked
    | UndoBegun
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
    UNDONE = "undone"


ENDED = frozenset({RunStatus.DONE, RunStatus.CANCELLED, RunStatus.CLOSED, RunStatus.UNDONE})
