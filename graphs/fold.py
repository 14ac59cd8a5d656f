"""The fold: a run's state, computed from its journal by one pure function that worker, views and replay share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from governance import events as ev
from governance.budgets import Raise
from governance.chain import GENESIS
from governance.effects import UNDO, Intent, LookupAnswer, StepStatus, undo_id
from governance.escalation import Escalation
from governance.findings import Severity
from governance.reviews import ReviewCard, ReviewStatus, Verdict

MAX_REPAIRS = 3
MAX_REPLANS = 3


class Phase(StrEnum):
    """What a run needs next; each is the name of the node that does it (END apart)."""

    UNDERSTAND = "understand"
    PLAN = "plan"
    CHECK = "check"
    DISPATCH = "dispatch"
    RECOVER = "recover"
    UNDO = "undo"
    REPORT = "report"
    END = "end"


@dataclass(frozen=True)
class StepFold:
    """A step that the journal knows. ``life`` counts how often it was taken up anew after an end.

    Every send is journaled before it (the intent, or a try of it) and every end of one after it. ``in_flight``: the
    last word is a send, so it may be running, or was when a worker died. ``doubt``: it ended, and nobody knows how.
    ``sent_at``: when the last send was journaled. ``ended_seq``: the number of the event that ended it. ``deferred``: it
    was accepted, and its answer comes by ``until``; ``held``: nothing can be done about it before ``until``, also when the
    run stops. ``addresses``: hashes of the addresses that its answer may come to.
    """

    life: int = 0
    intent: Intent | None = None
    attempts: int = 0
    doubt: bool = False
    in_flight: bool = False
    sent_at: datetime | None = None
    until: datetime | None = None
    waiting_why: str = ""
    deferred: bool = False
    held: bool = False
    addresses: tuple[str, ...] = ()
    reconciled: LookupAnswer | None = None
    last_failure: ev.StepAttempted | None = None
    ended: ev.StepEnded | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None
    ended_seq: int = 0

    @property
    def unsure(self) -> bool:
        """The effect may have happened."""
        return self.intent is not None and self.ended is None and (self.doubt or self.in_flight or self.deferred)

    @property
    def open(self) -> bool:
        """There is an intent, and no end."""
        return self.intent is not None and self.ended is None

    @property
    def satisfied(self) -> bool:
        """Steps that wait for this one may go on."""
        # By identity: a set of enumeration members is hashed by code that is not compiled, and this is asked all the time.
        return self.ended is not None and (
            self.ended.status is StepStatus.DONE or self.ended.status is StepStatus.SKIPPED
        )

    @property
    def ended_badly(self) -> bool:
        """It failed, or was refused."""
        return self.ended is not None and (
            self.ended.status is StepStatus.FAILED or self.ended.status is StepStatus.REFUSED
        )


_UNKNOWN = StepFold()


@dataclass(frozen=True)
class ReviewFold:
    """A review that the journal knows. ``used``: its grant is in an intent. ``added``: asked by escalation."""

    card: ReviewCard
    escalation: Escalation
    status: ReviewStatus = ReviewStatus.OPEN
    verdict: Verdict | None = None
    by: str = ""
    grants: str = ""
    used: bool = False
    closed_why: str = ""
    added: tuple[str, ...] = ()

    @property
    def approvers(self) -> tuple[str, ...]:
        """Who may decide by now: those who were asked first, and those whom escalation added."""
        return (*self.card.approvers, *self.added)


@dataclass(frozen=True)
class GivenUp:
    """Somebody wants a parked run taken back: nothing new starts, what is in flight ends first."""

    by: str
    reason: str


class Consent(StrEnum):
    """Where the current revision stands with people. FREE: nobody has to agree."""

    FREE = "free"
    OPEN = "open"
    GIVEN = "given"
    REFUSED = "refused"


@dataclass(frozen=True)
class Standing:
    """The last revision that could be run, and the steps given up by then: what a refused replan goes back to."""

    written: ev.PlanWritten
    checked: ev.PlanChecked
    dropped: frozenset[str]


@dataclass(frozen=True)
class NotSound:
    """A revision that did not pass its check."""

    written: ev.PlanWritten
    checked: ev.PlanChecked

    @property
    def errors(self) -> int:
        """How many findings forbid it."""
        return sum(finding.severity is Severity.ERROR for finding in self.checked.findings)


@dataclass(frozen=True)
class RunFold:
    """All that routing and dispatch need to know of a run. ``seq`` 0: nothing was journaled yet.

    ``steps`` are the plan's; ``undos`` those that take them back, by their ids (:func:`undo_id`). ``calls`` counts
    sends; ``more`` are raises of its budget. ``expanded`` has the items of steps with ``for_each``, ``ruled`` what the policy said
    of a step later than the check. ``replans`` counts
    revisions after failures, ``dropped`` are the failed steps that these do without; ``latest`` is the highest number
    of a revision; ``standing`` the last one that could be run. ``best``: of those in a row that did not pass their check,
    the one with the fewest errors, the latest of equals. ``vouched``: arguments as people wrote them, by step.
    """

    run_id: str
    seq: int = 0
    head: bytes = GENESIS
    at: datetime | None = None
    admitted: ev.RunAdmitted | None = None
    admitted_at: datetime | None = None
    request: Mapping[str, Any] | None = None
    written: ev.PlanWritten | None = None
    checked: ev.PlanChecked | None = None
    repairs: int = 0
    steps: Mapping[str, StepFold] = field(default_factory=dict)
    reviews: Mapping[str, ReviewFold] = field(default_factory=dict)
    cancel: ev.CancelAsked | None = None
    diagnosed: Mapping[str, ev.FailureDiagnosed] = field(default_factory=dict)
    parked: ev.RunParked | None = None
    given_up: GivenUp | None = None
    undoing: ev.UndoBegun | None = None
    undos: Mapping[str, StepFold] = field(default_factory=dict)
    resumes: int = 0
    report: str = ""
    ended: ev.RunEnded | None = None
    at_risk: ev.RunAtRisk | None = None
    erased: bool = False
    calls: int = 0
    more: tuple[Raise, ...] = ()
    expanded: Mapping[str, tuple[ev.ExpandedItem, ...]] = field(default_factory=dict)
    ruled: Mapping[str, ev.StepRuled] = field(default_factory=dict)
    replans: int = 0
    dropped: frozenset[str] = frozenset()
    latest: int = 0
    standing: Standing | None = None
    best: NotSound | None = None
    vouched: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def revision(self) -> int:
        """The number of the current plan; 0 before the first."""
        return self.written.revision if self.written else 0

    @property
    def step_ids(self) -> tuple[str, ...]:
        """The ids of the current plan's steps, as written."""
        return self.written.step_ids if self.written else ()

    def step(self, step_id: str) -> StepFold:
        """What the journal knows of a step, of the plan or of its undo; a blank one when nothing."""
        known = self.undos if step_id.startswith(UNDO) else self.steps
        return known.get(step_id, _UNKNOWN)

    @property
    def bad_ends(self) -> tuple[str, ...]:
        """Steps that failed or were refused and were not taken up again."""
        return tuple(i for i, step in self.steps.items() if step.ended_badly and i not in self.dropped)

    @property
    def failing(self) -> bool:
        """Nothing new may start: a step ended badly, or somebody stopped the run."""
        return self.stopped or bool(self.bad_ends)

    @property
    def stopped(self) -> bool:
        """Somebody cancelled the run, or wants it taken back."""
        return self.cancel is not None or self.given_up is not None

    @property
    def consent(self) -> Consent:
        """Whether a person has to agree to the current revision, and did."""
        if self.checked is None or not self.checked.asks or self.checked.revision != self.revision:
            return Consent.FREE
        review = self.reviews.get(self.checked.asks)
        if review is None or review.status is ReviewStatus.OPEN:
            return Consent.OPEN
        return Consent.GIVEN if review.grants == self.checked.plan_digest else Consent.REFUSED

    @property
    def _is_sound(self) -> bool:
        """The current revision passed its check."""
        return self.checked is not None and self.checked.revision == self.revision and self.checked.ok

    @property
    def unsettled(self) -> bool:
        """The current revision is a replan that cannot be run: not checked, not sound, or not agreed to."""
        replan = self.written is not None and bool(self.written.instead_of)
        return replan and not (self._is_sound and self.consent in {Consent.FREE, Consent.GIVEN})

    @property
    def replans_now(self) -> bool:
        """Every bad end is to be planned around, and that may be done once more."""
        choices = [self.diagnosed[i].choice if i in self.diagnosed else None for i in self.bad_ends]
        sound = not self.stopped and self.replans < MAX_REPLANS and not any("[" in i for i in self.bad_ends)
        return sound and bool(choices) and all(choice is ev.Recovery.REPLAN for choice in choices)

    @property
    def open_steps(self) -> tuple[str, ...]:
        """Steps with an open intent."""
        return tuple(i for i, step in self.steps.items() if step.open)

    @property
    def open_reviews(self) -> tuple[ReviewCard, ...]:
        """Reviews that nobody has answered."""
        return tuple(r.card for r in self.reviews.values() if r.status is ReviewStatus.OPEN)

    @property
    def phase(self) -> Phase:
        """What the run needs next. Total."""
        if self.ended is not None or self.erased:
            return Phase.END
        if self.parked is not None:
            return Phase.RECOVER
        if self.undoing is not None:
            return self._undo_phase(self.undoing)
        if self.request is None:
            return Phase.RECOVER if self.stopped else Phase.UNDERSTAND
        return self._plan_phase() or self._work_phase()

    def _plan_phase(self) -> Phase | None:
        if self.stopped:  # what was begun is settled first; no other plan is made, checked or asked about
            return Phase.DISPATCH if self.open_steps and self._is_sound else Phase.RECOVER
        if self.written is None:
            return Phase.PLAN
        if self.checked is None or self.checked.revision != self.written.revision:
            return Phase.CHECK
        if not self.checked.ok:
            return Phase.PLAN if self.repairs < MAX_REPAIRS else Phase.RECOVER
        if self.consent is Consent.OPEN:
            return Phase.CHECK
        return Phase.RECOVER if self.consent is Consent.REFUSED else None

    def _work_phase(self) -> Phase:
        if self.failing and not self.open_steps:
            return Phase.PLAN if self.replans_now else Phase.RECOVER
        ids = self.step_ids
        if ids and all(self.step(step_id).satisfied for step_id in ids):
            return Phase.REPORT
        return Phase.DISPATCH

    def _undo_phase(self, begun: ev.UndoBegun) -> Phase:
        undos = [self.step(undo_id(item.step)) for item in begun.items if item.call is not None]
        if any(undo.ended is not None and not undo.satisfied for undo in undos):
            return Phase.RECOVER
        return Phase.REPORT if all(undo.satisfied for undo in undos) else Phase.UNDO
