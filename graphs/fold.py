"""The fold: a run's state, computed from its journal by one pure function that worker, views and replay share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from governance import events as ev
from governance.chain import GENESIS, Entry
from governance.effects import FailureClass, Intent, LookupAnswer, StepStatus
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus, Verdict

MAX_REPAIRS = 3


class Phase(StrEnum):
    """What a run needs next; each is the name of the node that does it (END apart)."""

    UNDERSTAND = "understand"
    PLAN = "plan"
    CHECK = "check"
    DISPATCH = "dispatch"
    RECOVER = "recover"
    REPORT = "report"
    END = "end"


@dataclass(frozen=True)
class StepFold:
    """A step that the journal knows. ``life`` counts how often it was taken up anew after an end.

    Every send is journaled before it (the intent, or a try of it) and every end of one after it. ``in_flight``: the
    last word is a send, so it may be running, or was when a worker died. ``doubt``: it ended, and nobody knows how.
    ``sent_at``: when the last send was journaled.
    """

    life: int = 0
    intent: Intent | None = None
    attempts: int = 0
    doubt: bool = False
    in_flight: bool = False
    sent_at: datetime | None = None
    until: datetime | None = None
    waiting_why: str = ""
    reconciled: LookupAnswer | None = None
    last_failure: ev.StepAttempted | None = None
    ended: ev.StepEnded | None = None
    began_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def unsure(self) -> bool:
        """The effect may have happened."""
        return self.intent is not None and self.ended is None and (self.doubt or self.in_flight)

    @property
    def open(self) -> bool:
        """There is an intent, and no end."""
        return self.intent is not None and self.ended is None

    @property
    def satisfied(self) -> bool:
        """Steps that wait for this one may go on."""
        return self.ended is not None and self.ended.status in {StepStatus.DONE, StepStatus.SKIPPED}


@dataclass(frozen=True)
class ReviewFold:
    """A review that the journal knows. ``used``: its grant is in an intent."""

    card: ReviewCard
    status: ReviewStatus = ReviewStatus.OPEN
    verdict: Verdict | None = None
    by: str = ""
    grants: str = ""
    used: bool = False


@dataclass(frozen=True)
class RunFold:
    """All that routing and dispatch need to know of a run. ``seq`` 0: nothing was journaled yet."""

    run_id: str
    seq: int = 0
    head: bytes = GENESIS
    at: datetime | None = None
    admitted: ev.RunAdmitted | None = None
    request: Mapping[str, Any] | None = None
    written: ev.PlanWritten | None = None
    checked: ev.PlanChecked | None = None
    repairs: int = 0
    steps: Mapping[str, StepFold] = field(default_factory=dict)
    reviews: Mapping[str, ReviewFold] = field(default_factory=dict)
    cancel: ev.CancelAsked | None = None
    diagnosed: Mapping[str, ev.FailureDiagnosed] = field(default_factory=dict)
    parked: ev.RunParked | None = None
    resumes: int = 0
    report: str = ""
    ended: ev.RunEnded | None = None
    erased: bool = False

    @property
    def revision(self) -> int:
        """The number of the current plan; 0 before the first."""
        return self.written.revision if self.written else 0

    @property
    def step_ids(self) -> tuple[str, ...]:
        """The ids of the current plan's steps, as written."""
        if self.written is None:
            return ()
        listed = self.written.plan.get("steps")
        return tuple(step["id"] for step in listed) if isinstance(listed, list) else ()

    def step(self, step_id: str) -> StepFold:
        """What the journal knows of a step; a blank one when nothing."""
        return self.steps.get(step_id, StepFold())

    @property
    def bad_ends(self) -> tuple[str, ...]:
        """Steps that failed or were refused and were not taken up again."""
        bad = {StepStatus.FAILED, StepStatus.REFUSED}
        return tuple(i for i, step in self.steps.items() if step.ended is not None and step.ended.status in bad)

    @property
    def failing(self) -> bool:
        """Nothing new may start: a step ended badly, or somebody cancelled."""
        return self.cancel is not None or bool(self.bad_ends)

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
        if self.request is None:
            return Phase.RECOVER if self.cancel else Phase.UNDERSTAND
        return self._plan_phase() or self._work_phase()

    def _plan_phase(self) -> Phase | None:
        if self.cancel is not None and not self.steps:
            return Phase.RECOVER
        if self.written is None:
            return Phase.PLAN
        if self.checked is None or self.checked.revision != self.written.revision:
            return Phase.CHECK
        if not self.checked.ok:
            return Phase.PLAN if self.repairs < MAX_REPAIRS else Phase.RECOVER
        return None

    def _work_phase(self) -> Phase:
        if self.failing and not self.open_steps:
            return Phase.RECOVER
        if self.step_ids and all(self.step(step_id).satisfied for step_id in self.step_ids):
            return Phase.REPORT
        return Phase.DISPATCH


def fold(run_id: str, entries: Iterable[Entry]) -> RunFold:
    """The state after all ``entries`` (in order, from the first)."""
    state = RunFold(run_id)
    for entry in entries:
        state = advance(state, entry)
    return state


def advance(state: RunFold, entry: Entry) -> RunFold:
    """The state after one more entry. An erased entry moves the head and marks the fold as erased."""
    state = replace(state, seq=entry.seq, head=entry.hash, at=entry.at)
    body = entry.parsed()
    if body is None:
        return replace(state, erased=True)
    return _TRANSITIONS[body.kind](state, body, entry.at)


def _admitted(state: RunFold, body: ev.RunAdmitted, _: datetime) -> RunFold:
    return replace(state, admitted=body)


def _understood(state: RunFold, body: ev.RequestUnderstood, _: datetime) -> RunFold:
    return replace(state, request=body.request)


def _written(state: RunFold, body: ev.PlanWritten, _: datetime) -> RunFold:
    again = state.checked is not None and not state.checked.ok
    return replace(state, written=body, repairs=state.repairs + 1 if again else state.repairs)


def _checked(state: RunFold, body: ev.PlanChecked, _: datetime) -> RunFold:
    return replace(state, checked=body)


def _asked(state: RunFold, body: ev.ReviewAsked, _: datetime) -> RunFold:
    return replace(state, reviews={**state.reviews, body.card.id: ReviewFold(body.card)})


def _decided(state: RunFold, body: ev.ReviewDecided, at: datetime) -> RunFold:
    review = replace(
        state.reviews[body.review_id],
        status=ReviewStatus.DECIDED,
        verdict=body.verdict,
        by=body.by,
        grants=body.grants,
    )
    state = replace(state, reviews={**state.reviews, body.review_id: review})
    if review.card.kind is ReviewKind.OUTCOME and body.verdict.choice is Choice.RESPOND:
        happened = body.verdict.response == "happened"
        answer = LookupAnswer.OURS if happened else LookupAnswer.NONE
        return _step(state, body.step, doubt=False, in_flight=False, until=None, reconciled=answer, ended_at=at)
    return state


def _closed(state: RunFold, body: ev.ReviewClosed, _: datetime) -> RunFold:
    review = replace(state.reviews[body.review_id], status=ReviewStatus(body.status))
    return replace(state, reviews={**state.reviews, body.review_id: review})


def _intended(state: RunFold, body: ev.StepIntended, at: datetime) -> RunFold:
    grant = body.intent.grant
    if grant is not None and grant.review_id in state.reviews:
        used = replace(state.reviews[grant.review_id], used=True)
        state = replace(state, reviews={**state.reviews, grant.review_id: used})
    return _step(state, body.intent.step, intent=body.intent, in_flight=True, sent_at=at, began_at=at)


def _tried(state: RunFold, body: ev.StepTried, at: datetime) -> RunFold:
    return _step(state, body.step, in_flight=True, sent_at=at, until=None, waiting_why="")


def _attempted(state: RunFold, body: ev.StepAttempted, at: datetime) -> RunFold:
    before = state.step(body.step)
    doubt = body.failure.failure is FailureClass.AMBIGUOUS
    return _step(
        state,
        body.step,
        attempts=body.number,
        doubt=doubt,
        in_flight=False,
        last_failure=body,
        began_at=before.began_at or at,
    )


def _waiting(state: RunFold, body: ev.StepWaiting, _: datetime) -> RunFold:
    return _step(
        state,
        body.step,
        in_flight=False,
        doubt=body.doubt,
        until=body.until,
        waiting_why=body.why,
    )


def _reconciled(state: RunFold, body: ev.StepReconciled, _: datetime) -> RunFold:
    # Until the end is journaled too, what was found must be found again.
    doubt = body.answer is not LookupAnswer.NONE
    return _step(state, body.step, doubt=doubt, in_flight=False, reconciled=body.answer)


def _step_ended(state: RunFold, body: ev.StepEnded, at: datetime) -> RunFold:
    began = state.step(body.step).began_at or at
    return _step(
        state,
        body.step,
        ended=body,
        doubt=False,
        in_flight=False,
        until=None,
        waiting_why="",
        began_at=began,
        ended_at=at,
    )


def _diagnosed(state: RunFold, body: ev.FailureDiagnosed, _: datetime) -> RunFold:
    return replace(state, diagnosed={**state.diagnosed, body.step: body})


def _cancelled(state: RunFold, body: ev.CancelAsked, _: datetime) -> RunFold:
    return replace(state, cancel=body)


def _parked(state: RunFold, body: ev.RunParked, _: datetime) -> RunFold:
    return replace(state, parked=body)


def _resumed(state: RunFold, body: ev.RunResumed, _: datetime) -> RunFold:
    steps = dict(state.steps)
    for step_id in body.steps:
        old = state.step(step_id)
        # The intent stays: key and grant belong to the step's whole life, and a late effect must still be found.
        steps[step_id] = StepFold(life=old.life + 1, intent=old.intent, doubt=old.doubt, began_at=old.began_at)
    return replace(state, steps=steps, parked=None, cancel=None, diagnosed={}, resumes=state.resumes + 1, repairs=0)


def _dropped(state: RunFold, _body: ev.InputDropped, _: datetime) -> RunFold:
    return state


def _reported(state: RunFold, body: ev.RunReported, _: datetime) -> RunFold:
    return replace(state, report=body.summary)


def _run_ended(state: RunFold, body: ev.RunEnded, _: datetime) -> RunFold:
    return replace(state, ended=body)


def _step(state: RunFold, step_id: str, **changes: Any) -> RunFold:
    return replace(state, steps={**state.steps, step_id: replace(state.step(step_id), **changes)})


_TRANSITIONS: Mapping[str, Callable[[RunFold, Any, datetime], RunFold]] = {
    "run.admitted": _admitted,
    "request.understood": _understood,
    "plan.written": _written,
    "plan.checked": _checked,
    "review.asked": _asked,
    "review.decided": _decided,
    "review.closed": _closed,
    "step.intended": _intended,
    "step.tried": _tried,
    "step.attempted": _attempted,
    "step.waiting": _waiting,
    "step.reconciled": _reconciled,
    "step.ended": _step_ended,
    "failure.diagnosed": _diagnosed,
    "cancel.asked": _cancelled,
    "run.parked": _parked,
    "run.resumed": _resumed,
    "input.dropped": _dropped,
    "run.reported": _reported,
    "run.ended": _run_ended,
}
