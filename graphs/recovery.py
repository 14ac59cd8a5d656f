"""Recovery: what a failure, a refusal, a cancel or a plan that cannot be made leads to.

A failure may lead to a revised plan. A cancelled run takes back what it did (graphs/saga.py), and so does one whose
diagnosis, playbook or people say so. Everything else parks the run and puts its undo list before a person.
"""

from __future__ import annotations

from governance import events as ev
from governance.chain import Event
from governance.effects import StepStatus
from governance.findings import Severity
from governance.runs import SideRow
from graphs.engine import Engine
from graphs.fold import Consent, Phase, RunFold
from graphs.gates import ask_parked
from graphs.intake import withdraw
from graphs.live import LiveRun
from graphs.replanning import alternatives_to
from graphs.saga import begin, choice_of, stuck
from graphs.undo import undo_list

_MOST_TOLD = 5


async def recover(engine: Engine, run: LiveRun) -> None:
    """Diagnose what was not diagnosed, then plan around it, take back or park; end what was cancelled with nothing done."""
    if run.state.undoing is not None:
        await park(engine, run, stuck(run.state))
        return
    for step_id in run.state.bad_ends:
        if step_id not in run.state.diagnosed:
            await _diagnose(engine, run, step_id)
    state = run.state
    if state.phase is not Phase.RECOVER:  # what failed is planned around
        return
    if state.cancel is not None and not undo_list(state, engine.specs):
        await _end_cancelled(run, state)
        return
    if _was_refused(state) and not state.steps and state.written is not None and not state.written.instead_of:
        await _end_refused(run, state)
        return
    choice = choice_of(engine, state, reason_of(state))
    if choice is not None:
        await begin(engine, run, choice)
        return
    again = " Resumed, the run goes on with the plan before." if _was_refused(state) else ""
    await park(engine, run, reason_of(state) + again)


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
    if _was_refused(state) and state.checked is not None:
        return _refused(state, state.checked.asks)
    best = state.best
    if best is None:
        return "No plan passes the check."
    findings = [finding for finding in best.checked.findings if finding.severity is Severity.ERROR]
    more = f"; and {len(findings) - _MOST_TOLD} more" if len(findings) > _MOST_TOLD else ""
    tries = f"{state.repairs + 1} attempts, and the best is revision {best.written.revision}" if state.repairs else "it"
    told = "; ".join(str(finding) for finding in findings[:_MOST_TOLD])
    return f"No plan passes the check, after {tries}: {told}{more}"


def _was_refused(state: RunFold) -> bool:
    """What stops the run is that people do not want its revised plan."""
    return state.consent is Consent.REFUSED and not state.stopped and not state.bad_ends


def _refused(state: RunFold, asked: str) -> str:
    review = state.reviews[asked]
    said = f"{review.by} said no: {review.verdict.reason}" if review.verdict else "nobody agreed in time"
    instead = ", ".join(state.written.instead_of) if state.written else ""
    return (
        f"The plan was revised without {instead}, and {said}." if instead else f"The plan was shown whole, and {said}."
    )


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
        step=step_id,
        tool=tool.spec if tool else None,
        failure=failure,
        refused=refused,
        attempts=step.attempts,
        alternatives=() if refused else alternatives_to(engine, run.state, step.ended.tool),
        run=run.state.run_id,
    )
    body = ev.FailureDiagnosed(
        step=step_id, failure=failure.failure if failure else None, choice=diagnosis.choice, decision=diagnosis.decision
    )
    await run.record(Event(f"step:{step_id}:{step.life}:diagnosed", body))


async def _end_refused(run: LiveRun, state: RunFold) -> None:
    """A plan that nobody wants, of which nothing was begun: there is nothing to take back, and nothing to wait for."""
    events, rows = withdraw(state, "the plan was refused")
    side: list[SideRow] = list(rows)
    summary = f"{reason_of(state)} Nothing was done."
    await run.record(
        *events,
        Event("reported", ev.RunReported(summary=summary)),
        Event("ended", ev.RunEnded(status="closed")),
        rows=side,
    )


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
