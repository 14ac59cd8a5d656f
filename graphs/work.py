"""What each node does to a live run. LangGraph only decides which comes next; nothing here knows of it."""

from __future__ import annotations

import asyncio

from pydantic import ValidationError

from agents.ports import PlanningTask
from governance import events as ev
from governance.chain import Event
from governance.decisions import Decision, DecisionKind
from governance.effects import StepStatus
from graphs.automatic import is_by_rule
from graphs.budgets import time_timer
from graphs.consent import put_to_people
from graphs.control import Control
from graphs.dispatcher import Dispatcher
from graphs.engine import Engine
from graphs.escalation import escalate, run_timer
from graphs.fold import Consent, Phase, RunFold
from graphs.intake import take_up
from graphs.live import LiveRun
from graphs.recovery import park, recover
from graphs.replanning import instead_of, stopped_in, with_history
from graphs.revision import Drift, check_plan, playbook_of
from graphs.saga import Undoing, report_of
from graphs.templates import blame, keep, reused
from graphs.verdicts import simulate_verdicts
from plans.language import Plan


async def understand(engine: Engine, run: LiveRun, _: Control) -> None:
    """Journal the request as the run will use it. Admission has validated it; triage's decision came with it."""
    state = run.state
    playbook = playbook_of(engine, state)
    if isinstance(playbook, Drift) or state.admitted is None:
        await park(engine, run, playbook.sentence if isinstance(playbook, Drift) else "the run was never admitted")
        return
    decision = state.admitted.understanding or Decision(
        kind=DecisionKind.TRIAGE,
        subject=playbook.id,
        choice=playbook.id,
        reasoning="the request came typed and fits the playbook's schema; nothing had to be interpreted",
        confidence=1,
        decider="rule:typed-request",
    )
    body = ev.RequestUnderstood(request=state.admitted.request, decision=decision)
    timer = run_timer(engine, state)
    run.note(Event("understood", body), rows=[timer] if timer else [])


async def plan(engine: Engine, run: LiveRun, _: Control) -> None:
    """Take a kept plan, or ask the planner, once for each revision; its answer is journaled and never asked for again."""
    state = run.state
    playbook = playbook_of(engine, state)
    if isinstance(playbook, Drift):
        await park(engine, run, playbook.sentence)
        return
    if await reused(engine, run, playbook):
        return
    task = PlanningTask(
        playbook=playbook.id,
        goals=playbook.goals_of(state.request or {}),
        guidance=playbook.guidance,
        request=dict(state.request or {}),
        request_schema=engine.schemas[playbook.id],
        tools=engine.specs_for(playbook, engine.directory.find(state.admitted.requester) if state.admitted else None),
        previous=_previous(state),
        findings=state.checked.findings if state.checked else (),
        rejected=state.written.plan if state.written and state.checked and not state.checked.ok else None,
        run=state.run_id,
    )
    began = asyncio.get_running_loop().time()
    proposal = await engine.planner.plan(with_history(engine, state, task))
    revision = state.latest + 1
    body = ev.PlanWritten(
        revision=revision,
        plan=proposal.plan,
        author=proposal.decision.decider,
        decision=proposal.decision,
        instead_of=instead_of(state),
        again=stopped_in(state, proposal.plan),
        took_ms=round((asyncio.get_running_loop().time() - began) * 1000),
    )
    run.note(Event(f"plan:{revision}:written", body))


def _previous(state: RunFold) -> Plan | None:
    """The revision that was checked last, if it can be read as a plan."""
    if state.written is None or state.checked is None or not state.checked.rulings:
        return None
    try:
        return Plan.model_validate(state.written.plan)
    except ValidationError:
        return None


async def check(engine: Engine, run: LiveRun, _: Control) -> None:
    """Compile the current revision: findings, rulings, pinned tools. Where people must agree, wait for them."""
    state = run.state
    dry = bool(state.admitted and state.admitted.dry)
    if state.consent is Consent.OPEN:
        if dry:  # a fork of a run that waits for this answer
            simulate_verdicts(run)
            return
        await take_up(engine, run)
        await escalate(engine, run)
    elif state.written is not None:
        await engine.autonomy.refresh(engine.clock.now())
        body, checked = check_plan(engine, state, state.written.plan)
        events, rows = put_to_people(engine, state, body, checked, dry=dry)
        run.note(*events, rows=[*rows, *time_timer(engine, state)])
        keep(engine, state, checked)


async def dispatch(engine: Engine, run: LiveRun, control: Control) -> None:
    """Run the DAG as far as it goes without the world outside."""
    dry = bool(run.state.admitted and run.state.admitted.dry)
    drifted = await Dispatcher(engine, run, control, dry=dry).drive()
    if drifted is not None:
        await park(engine, run, drifted.sentence)


async def recover_node(engine: Engine, run: LiveRun, _: Control) -> None:
    """Take up what people left, then deal with what went wrong. A parked run stays parked until somebody says so."""
    if not (run.state.admitted and run.state.admitted.dry):
        await take_up(engine, run)
        await escalate(engine, run)
    if run.state.phase is Phase.RECOVER and run.state.parked is None:
        await recover(engine, run)
        blame(engine, run.state)


async def undo(engine: Engine, run: LiveRun, control: Control) -> None:
    """Take back as much as can be without the world outside."""
    dry = bool(run.state.admitted and run.state.admitted.dry)
    await Undoing(engine, run, control, dry=dry).drive()


async def report(_: Engine, run: LiveRun, __: Control) -> None:
    """Say what was done, or taken back, and end the run."""
    begun = run.state.undoing
    if begun is not None:
        told = ev.RunReported(summary=report_of(run.state, begun))
        run.note(Event("reported", told), Event("ended", ev.RunEnded(status=begun.ends)))
        return
    run.note(
        Event("reported", ev.RunReported(summary=summary_of(run.state))), Event("ended", ev.RunEnded(status="done"))
    )


def summary_of(state: RunFold) -> str:
    """What a run did, in one paragraph."""
    ends = [s.ended for i, s in state.steps.items() if s.ended is not None and i not in state.expanded]
    done = [ended for ended in ends if ended.status is StepStatus.DONE]
    skipped = sum(1 for s in state.steps.values() if s.ended is not None and s.ended.status is StepStatus.SKIPPED)
    systems = sorted({ended.tool.partition(".")[0] for ended in done})
    effects = sum(1 for s in state.steps.values() if s.intent is not None and s.ended is not None)
    found = sum(1 for ended in done if ended.found)
    title = state.admitted.title if state.admitted else "The run"
    parts = [f"{title}: {len(done)} steps done in {len(systems)} systems, {effects} of them with an effect"]
    if found:
        parts.append(f"{found} found as they should be")
    if skipped:
        parts.append(f"{skipped} skipped by their conditions")
    reviewed = sum(1 for r in state.reviews.values() if r.by)
    by_rule = sum(1 for r in state.reviews.values() if is_by_rule(r))
    if reviewed > by_rule:
        parts.append(f"{reviewed - by_rule} decided by people")
    if by_rule:
        parts.append(f"{by_rule} approved by rule")
    return ", ".join(parts) + "."
