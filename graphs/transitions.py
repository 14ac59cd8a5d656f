"""The fold's transitions: what each kind of event does to a run's state. Pure, one function a kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from governance import events as ev
from governance.chain import Entry
from governance.effects import UNDO, FailureClass, LookupAnswer, StepStatus
from governance.escalation import first_standing, standing_at
from governance.reviews import Choice, ReviewKind, ReviewStatus
from graphs.fold import GivenUp, NotSound, ReviewFold, RunFold, StepFold
from graphs.revisions import revised, settled_on, taken_up

Fold = TypeVar("Fold", RunFold, StepFold, ReviewFold)


def fold(run_id: str, entries: Iterable[Entry], known: RunFold | None = None) -> RunFold:
    """The state after all ``entries``, in order: from the first, or from those that follow on ``known``."""
    state = known or RunFold(run_id)
    for entry in entries:
        state = advance(state, entry)
    return state


def _with(state: Fold, **changes: Any) -> Fold:
    """A copy with other values.

    ``dataclasses.replace`` calls the constructor: a fold has many fields and a run many entries, so that took a tenth of
    the engine's time.
    """
    copy = object.__new__(type(state))
    copy.__dict__.update(state.__dict__, **changes)
    return copy


def advance(state: RunFold, entry: Entry) -> RunFold:
    """The state after one more entry. An erased entry moves the head and marks the fold as erased."""
    state = _with(state, seq=entry.seq, head=entry.hash, at=entry.at)
    body = entry.parsed()
    if body is None:
        return _with(state, erased=True)
    return _TRANSITIONS[body.kind](state, body, entry.at)


def _admitted(state: RunFold, body: ev.RunAdmitted, at: datetime) -> RunFold:
    return _with(state, admitted=body, admitted_at=at)


def _understood(state: RunFold, body: ev.RequestUnderstood, _: datetime) -> RunFold:
    return _with(state, request=body.request)


def _written(state: RunFold, body: ev.PlanWritten, _: datetime) -> RunFold:
    again = state.checked is not None and not state.checked.ok
    state = revised(state, body)
    return _with(state, written=body, repairs=state.repairs + 1 if again else state.repairs)


def _checked(state: RunFold, body: ev.PlanChecked, _: datetime) -> RunFold:
    best = None
    if not body.ok and state.written is not None:
        found = NotSound(state.written, body)
        best = state.best if state.best is not None and state.best.errors < found.errors else found
    return _with(state, checked=body, ruled={}, best=best)


def _asked(state: RunFold, body: ev.ReviewAsked, _: datetime) -> RunFold:
    review = ReviewFold(body.card, first_standing(body.card))
    return _with(state, reviews={**state.reviews, body.card.id: review})


def _decided(state: RunFold, body: ev.ReviewDecided, at: datetime) -> RunFold:
    review = _with(
        state.reviews[body.review_id],
        status=ReviewStatus.DECIDED,
        verdict=body.verdict,
        by=body.by,
        grants=body.grants,
    )
    state = _with(state, reviews={**state.reviews, body.review_id: review})
    if review.card.kind is ReviewKind.OUTCOME and body.verdict.choice is Choice.RESPOND:
        happened = body.verdict.response == "happened"
        answer = LookupAnswer.OURS if happened else LookupAnswer.NONE
        return _step(
            state, body.step, doubt=False, in_flight=False, deferred=False, until=None, reconciled=answer, ended_at=at
        )
    if review.card.kind is ReviewKind.PARKED and body.verdict.response == "undo" and state.undoing is None:
        return _with(state, given_up=GivenUp(body.by, body.verdict.reason), parked=None)
    return state


def _closed(state: RunFold, body: ev.ReviewClosed, _: datetime) -> RunFold:
    review = _with(state.reviews[body.review_id], status=ReviewStatus(body.status), closed_why=body.why)
    return _with(state, reviews={**state.reviews, body.review_id: review})


def _reminded(state: RunFold, body: ev.ReviewReminded, at: datetime) -> RunFold:
    before = state.reviews[body.review_id]
    review = _with(before, escalation=before.escalation.reminded(at, body.number, body.again_at))
    return _with(state, reviews={**state.reviews, body.review_id: review})


def _escalated(state: RunFold, body: ev.ReviewEscalated, _: datetime) -> RunFold:
    before = state.reviews[body.review_id]
    escalation = standing_at(body.level, body.asked_at, body.due_at, ends=body.ends)
    review = _with(before, escalation=escalation, added=(*before.added, *body.added))
    return _with(state, reviews={**state.reviews, body.review_id: review})


def _at_risk(state: RunFold, body: ev.RunAtRisk, at: datetime) -> RunFold:
    if body.what == "run":
        return _with(state, at_risk=body)
    before = state.reviews[body.review_id]
    review = _with(before, escalation=before.escalation.warned(at))
    return _with(state, reviews={**state.reviews, body.review_id: review})


def _intended(state: RunFold, body: ev.StepIntended, at: datetime) -> RunFold:
    grant = body.intent.grant
    if grant is not None and grant.review_id in state.reviews:
        used = _with(state.reviews[grant.review_id], used=True)
        state = _with(state, reviews={**state.reviews, grant.review_id: used})
    state = _with(state, calls=state.calls + 1)
    addresses = (body.intent.callback,) if body.intent.callback else ()
    return _step(
        state, body.intent.step, intent=body.intent, in_flight=True, sent_at=at, began_at=at, addresses=addresses
    )


def _tried(state: RunFold, body: ev.StepTried, at: datetime) -> RunFold:
    state = _with(state, calls=state.calls + 1)
    known = state.step(body.step).addresses
    addresses = (*known, body.callback) if body.callback and body.callback not in known else known
    return _step(
        state, body.step, in_flight=True, sent_at=at, until=None, waiting_why="", deferred=False, addresses=addresses
    )


def _expanded(state: RunFold, body: ev.StepExpanded, _: datetime) -> RunFold:
    return _with(state, expanded={**state.expanded, body.step: body.items})


def _attempted(state: RunFold, body: ev.StepAttempted, at: datetime) -> RunFold:
    before = state.step(body.step)
    doubt = body.failure.failure is FailureClass.AMBIGUOUS
    state = _with(state, calls=state.calls + (before.intent is None))
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
        held=True,
        until=body.until,
        waiting_why=body.why,
    )


def _deferred(state: RunFold, body: ev.StepDeferred, at: datetime) -> RunFold:
    return _step(
        state,
        body.step,
        deferred=True,
        held=body.stopping,
        doubt=False,
        in_flight=False,
        until=body.until,
        waiting_why=body.why,
        began_at=state.step(body.step).began_at or at,
    )


def _answered(state: RunFold, _body: ev.StepAnswered, _: datetime) -> RunFold:
    return state


def _ruled(state: RunFold, body: ev.StepRuled, _: datetime) -> RunFold:
    return _with(state, ruled={**state.ruled, body.step: body})


def _chosen(state: RunFold, _body: ev.StepChosen, _: datetime) -> RunFold:
    return state


def _reconciled(state: RunFold, body: ev.StepReconciled, _: datetime) -> RunFold:
    # Until the end is journaled too, what was found must be found again.
    doubt = body.answer is not LookupAnswer.NONE
    deferred = state.step(body.step).deferred and doubt
    return _step(state, body.step, doubt=doubt, in_flight=False, deferred=deferred, reconciled=body.answer)


def _step_ended(state: RunFold, body: ev.StepEnded, at: datetime) -> RunFold:
    known = state.step(body.step)
    if body.status is StepStatus.DONE and known.intent is None and body.step not in state.expanded:
        state = _with(state, calls=state.calls + 1)  # a read that was done: only its end is journaled
    return _step(
        state,
        body.step,
        ended=body,
        doubt=False,
        in_flight=False,
        deferred=False,
        until=None,
        waiting_why="",
        began_at=known.began_at or at,
        ended_at=at,
        ended_seq=state.seq,
    )


def _diagnosed(state: RunFold, body: ev.FailureDiagnosed, _: datetime) -> RunFold:
    return _with(state, diagnosed={**state.diagnosed, body.step: body})


def _cancelled(state: RunFold, body: ev.CancelAsked, _: datetime) -> RunFold:
    # A parked run stops being so: what it did is taken back. (A journal from before that says "ended" next.)
    return _with(state, cancel=body, parked=None)


def _undo_begun(state: RunFold, body: ev.UndoBegun, _: datetime) -> RunFold:
    return _with(state, undoing=body, parked=None)


def _parked(state: RunFold, body: ev.RunParked, _: datetime) -> RunFold:
    return _with(state, parked=body)


def _resumed(state: RunFold, body: ev.RunResumed, _: datetime) -> RunFold:
    state = taken_up(settled_on(state), body.steps)
    if body.more:
        state = _with(state, more=(*state.more, body.more))
    return _with(state, parked=None, cancel=None, given_up=None, diagnosed={}, resumes=state.resumes + 1, repairs=0)


def _dropped(state: RunFold, _body: ev.InputDropped, _: datetime) -> RunFold:
    return state


def _reported(state: RunFold, body: ev.RunReported, _: datetime) -> RunFold:
    return _with(state, report=body.summary)


def _run_ended(state: RunFold, body: ev.RunEnded, _: datetime) -> RunFold:
    return _with(state, ended=body)


def _step(state: RunFold, step_id: str, **changes: Any) -> RunFold:
    return _put(state, step_id, _with(state.step(step_id), **changes))


def _put(state: RunFold, step_id: str, step: StepFold) -> RunFold:
    if step_id.startswith(UNDO):
        return _with(state, undos={**state.undos, step_id: step})
    return _with(state, steps={**state.steps, step_id: step})


_TRANSITIONS: Mapping[str, Callable[[RunFold, Any, datetime], RunFold]] = {
    "run.admitted": _admitted,
    "request.understood": _understood,
    "plan.written": _written,
    "plan.checked": _checked,
    "review.asked": _asked,
    "review.decided": _decided,
    "review.closed": _closed,
    "review.reminded": _reminded,
    "review.escalated": _escalated,
    "run.at_risk": _at_risk,
    "step.intended": _intended,
    "step.tried": _tried,
    "step.attempted": _attempted,
    "step.waiting": _waiting,
    "step.deferred": _deferred,
    "step.answered": _answered,
    "step.expanded": _expanded,
    "step.ruled": _ruled,
    "step.chosen": _chosen,
    "step.reconciled": _reconciled,
    "step.ended": _step_ended,
    "failure.diagnosed": _diagnosed,
    "cancel.asked": _cancelled,
    "run.parked": _parked,
    "undo.begun": _undo_begun,
    "run.resumed": _resumed,
    "input.dropped": _dropped,
    "run.reported": _reported,
    "run.ended": _run_ended,
}
