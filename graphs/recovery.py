"""Recovery: what a failure, a refusal, a cancel or a plan that cannot be made leads to.

Today every one of them ends in a parked run whose undo list is put before a person, except a cancel before anything
was done, which simply ends the run.
"""

from __future__ import annotations

from governance import events as ev
from governance.chain import Event
from governance.effects import StepStatus
from governance.runs import SideRow
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.gates import ask_parked
from graphs.intake import withdraw
from graphs.live import LiveRun
from graphs.undo import undo_list


async def recover(engine: Engine, run: LiveRun) -> None:
    """Diagnose what was not diagnosed, then park the run, or end it when it was cancelled with nothing done."""
    for step_id in run.state.bad_ends:
        if step_id not in run.state.diagnosed:
            await _diagnose(engine, run, step_id)
    state = run.state
    if state.cancel is not None and not undo_list(state, engine.specs):
        await _end_cancelled(run, state)
        return
    await park(engine, run, reason_of(state))


async def park(engine: Engine, run: LiveRun, reason: str, *, poison: bool = False) -> None:
    """Park the run: the reason, the undo list, and the question to the people who answer for it."""
    state = run.state
    parked = ev.RunParked(reason=reason, undo=undo_list(state, engine.specs), poison=poison)
    event, rows = ask_parked(engine, state, reason)
    await run.record(Event(f"parked:{state.resumes}:{state.seq}", parked), event, rows=rows)


def reason_of(state: RunFold) -> str:
    """Why a run that needs recovery cannot go on, in one sentence."""
    if state.cancel is not None:
        return f"Cancelled by {state.cancel.by}: {state.cancel.reason}. What was done before still stands."
    if state.bad_ends:
        return " ".join(_sentence(state, step_id) for step_id in state.bad_ends)
    findings = state.checked.findings if state.checked else ()
    return "No plan passes the check: " + "; ".join(str(finding) for finding in findings[:5])


def _sentence(state: RunFold, step_id: str) -> str:
    ended = state.step(step_id).ended
    if ended is None:
        return ""
    if ended.status is StepStatus.REFUSED:
        return f"{step_id} was refused: {ended.why}."
    diagnosed = state.diagnosed.get(step_id)
    if diagnosed is not None:
        return diagnosed.decision.reasoning
    return f"{step_id} failed: {ended.failure.message if ended.failure else 'no reason given'}"


async def _diagnose(engine: Engine, run: LiveRun, step_id: str) -> None:
    step = run.state.step(step_id)
    if step.ended is None:
        return
    tool = engine.tools.get(step.ended.tool)
    refused = step.ended.status is StepStatus.REFUSED
    failure = step.ended.failure
    diagnosis = await engine.diagnostician.diagnose(
        step=step_id, tool=tool.spec if tool else None, failure=failure, refused=refused, attempts=step.attempts
    )
    body = ev.FailureDiagnosed(
        step=step_id, failure=failure.failure if failure else None, choice=diagnosis.choice, decision=diagnosis.decision
    )
    await run.record(Event(f"step:{step_id}:{step.life}:diagnosed", body))


async def _end_cancelled(run: LiveRun, state: RunFold) -> None:
    by = state.cancel.by if state.cancel else "nobody"
    events, rows = withdraw(state, "the run was cancelled")
    side: list[SideRow] = list(rows)
    summary = f"Cancelled by {by} before anything was done."
    await run.record(
        *events,
        Event("reported", ev.RunReported(summary=summary)),
        Event("ended", ev.RunEnded(status="cancelled")),
        rows=side,
    )
