"""A run as people see it, made from its journal and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from pydantic import ValidationError

from governance import events as ev
from governance.chain import Entry
from governance.decisions import Decision
from governance.effects import StepStatus, undo_id
from governance.policy import Ruling
from governance.reviews import ReviewStatus
from governance.runs import ReviewRow, RunRow
from graphs.expansion import with_items
from graphs.fold import RunFold, StepFold
from graphs.transitions import fold
from graphs.undo import undo_list
from plans.language import Plan, Step, written_id
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
        seen_at=now,
        request=dict(state.request or (state.admitted.request if state.admitted else {})),
        plan=plan,
        revision=state.revision,
        findings=state.checked.findings if state.checked else (),
        steps=tuple(_step(state, step, specs, now) for step in with_items(plan, state)) if plan else (),
        reviews=tuple(reviews),
        decisions=tuple(_decisions(entries)),
        undo=undo_list(state, specs),
        parked_because=state.parked.reason if state.parked else "",
        at_risk=state.at_risk.why if state.at_risk and not state.ended else "",
        report=state.report,
        timeline=tuple(entries),
        difference=state.checked.difference if state.checked and state.checked.revision == state.revision else None,
        undos=tuple(_undos(state, specs, now)),
    )


def _plan(state: RunFold) -> Plan | None:
    if state.written is None:
        return None
    try:
        return Plan.model_validate(state.written.plan)
    except ValidationError:  # a plan that the checker refused for its very shape; its findings say so
        return None


def _step(state: RunFold, step: Step, specs: Mapping[str, ToolSpec], now: datetime) -> StepView:
    planned = StepView(
        id=step.id,
        tool=step.tool,
        system=_system(step.tool, specs),
        reason=step.reason,
        confidence=step.confidence,
        state="planned",
        needs=tuple(sorted(needs_of(step))),
        args=dict(step.args),
        ruling=_ruling(state, step.id),
    )
    shown = _as_it_stands(state, planned, now)
    return replace(shown, state="running") if _is_running(state, step) else shown


def _undos(state: RunFold, specs: Mapping[str, ToolSpec], now: datetime) -> Iterable[StepView]:
    for item in state.undoing.items if state.undoing else ():
        if item.call is not None:
            planned = StepView(
                id=undo_id(item.step),
                tool=item.call.tool,
                system=_system(item.call.tool, specs),
                reason=f"takes back {item.step}: {item.what}",
                confidence=1,
                state="planned",
                args=item.call.args,
                undoes=item.step,
            )
            yield _as_it_stands(state, planned, now)


def _as_it_stands(state: RunFold, planned: StepView, now: datetime) -> StepView:
    known = state.step(planned.id)
    review = next((r for r in reversed(list(state.reviews.values())) if r.card.step == planned.id), None)
    ended = known.ended
    return replace(
        planned,
        state=_state(known, waits=review is not None and review.status is ReviewStatus.OPEN, now=now),
        args=ended.args if ended and ended.args else known.intent.args if known.intent else planned.args,
        output=ended.output if ended else None,
        review_id=review.card.id if review else "",
        waits_for=review.approvers if review is not None and review.status is ReviewStatus.OPEN else (),
        attempts=known.attempts + (1 if ended is not None and ended.status is StepStatus.DONE else 0),
        retries=known.attempts,
        reconciled=known.reconciled.value if known.reconciled else "",
        began=known.began_at,
        ended=known.ended_at,
        problem=_problem(known),
    )


def _is_running(state: RunFold, step: Step) -> bool:
    """A step with ``for_each`` runs from when its items are known until all of them are over."""
    return step.for_each is not None and step.id in state.expanded and state.step(step.id).ended is None


def _system(tool: str, specs: Mapping[str, ToolSpec]) -> str:
    return specs[tool].system if tool in specs else tool.partition(".")[0]


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
    if step_id in state.ruled:
        return state.ruled[step_id].ruling
    return next((r for r in (state.checked.rulings if state.checked else ()) if r.step == written_id(step_id)), None)


def _decisions(entries: Iterable[Entry]) -> Iterable[Decision]:
    for entry in entries:
        body = entry.parsed()
        if isinstance(
            body, ev.RequestUnderstood | ev.PlanWritten | ev.ReviewDecided | ev.FailureDiagnosed | ev.StepChosen
        ):
            yield body.decision
        elif isinstance(body, ev.ReviewAsked) and body.card.recommendation is not None:
            yield body.card.recommendation
