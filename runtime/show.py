"""A run as people see it, made from its journal and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic import ValidationError

from governance import events as ev
from governance.chain import Entry
from governance.decisions import Decision
from governance.effects import StepStatus
from governance.policy import Ruling
from governance.reviews import ReviewStatus
from governance.runs import ReviewRow, RunRow
from graphs.fold import RunFold, StepFold, fold
from graphs.undo import undo_list
from plans.language import Plan, Step
from plans.recall import needs_of
from runtime.views import RunView, StepView
from tools.contract import ToolSpec


def run_view(
    row: RunRow, entries: Sequence[Entry], reviews: Sequence[ReviewRow], specs: Mapping[str, ToolSpec], now: datetime
) -> RunView:
    """Everything about a run. Erased entries leave gaps, never errors."""
    state = fold(row.id, entries)
    plan = _plan(state)
    return RunView(
        row=row,
        request=dict(state.request or (state.admitted.request if state.admitted else {})),
        plan=plan,
        revision=state.revision,
        findings=state.checked.findings if state.checked else (),
        steps=tuple(_step(state, step, specs, now) for step in plan.steps) if plan else (),
        reviews=tuple(reviews),
        decisions=tuple(_decisions(entries)),
        undo=undo_list(state, specs),
        parked_because=state.parked.reason if state.parked else "",
        report=state.report,
        timeline=tuple(entries),
    )


def _plan(state: RunFold) -> Plan | None:
    if state.written is None:
        return None
    try:
        return Plan.model_validate(state.written.plan)
    except ValidationError:  # a plan that the checker refused for its very shape; its findings say so
        return None


def _step(state: RunFold, step: Step, specs: Mapping[str, ToolSpec], now: datetime) -> StepView:
    known = state.step(step.id)
    review = next((r for r in reversed(list(state.reviews.values())) if r.card.step == step.id), None)
    ended = known.ended
    args = ended.args if ended and ended.args else known.intent.args if known.intent else dict(step.args)
    return StepView(
        id=step.id,
        tool=step.tool,
        system=specs[step.tool].system if step.tool in specs else step.tool.partition(".")[0],
        reason=step.reason,
        confidence=step.confidence,
        state=_state(known, waits=review is not None and review.status is ReviewStatus.OPEN, now=now),
        needs=tuple(sorted(needs_of(step))),
        args=args,
        output=ended.output if ended else None,
        ruling=_ruling(state, step.id),
        review_id=review.card.id if review else "",
        attempts=known.attempts + (1 if ended is not None and ended.status is StepStatus.DONE else 0),
        retries=known.attempts,
        reconciled=known.reconciled.value if known.reconciled else "",
        began=known.began_at,
        ended=known.ended_at,
        problem=_problem(known),
    )


def _state(known: StepFold, *, waits: bool, now: datetime) -> str:
    if known.ended is not None:
        return "found" if known.ended.found else known.ended.status.value
    if waits or (known.until is not None and known.until > now):
        return "waiting"
    if known.intent is not None:
        return "running" if known.in_flight else "unknown" if known.doubt else "waiting"
    return "planned"


def _problem(known: StepFold) -> str:
    if known.ended is not None:
        return known.ended.failure.message if known.ended.failure else known.ended.why
    return known.waiting_why or (known.last_failure.failure.message if known.last_failure else "")


def _ruling(state: RunFold, step_id: str) -> Ruling | None:
    return next((r for r in (state.checked.rulings if state.checked else ()) if r.step == step_id), None)


def _decisions(entries: Iterable[Entry]) -> Iterable[Decision]:
    for entry in entries:
        body = entry.parsed()
        if isinstance(body, ev.RequestUnderstood | ev.PlanWritten | ev.ReviewDecided | ev.FailureDiagnosed):
            yield body.decision
        elif isinstance(body, ev.ReviewAsked) and body.card.recommendation is not None:
            yield body.card.recommendation
