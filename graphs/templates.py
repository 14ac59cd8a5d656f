"""Plans that are used again: taken before the planner is asked, kept once checked, blamed when a run fails by them."""

from __future__ import annotations

from governance import events as ev
from governance.chain import Event
from governance.decisions import Decision, DecisionKind
from governance.effects import FailureClass, StepStatus
from governance.templates import Template, TemplateFailure, TemplateRow, saving
from graphs.budgets import time_timer
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.live import LiveRun
from graphs.revision import Drift, as_next, check_plan, playbook_of
from plans.checked import Checked
from plans.language import written_id
from playbooks.model import Playbook

DECIDER = "rule:template"
NONE_KEPT = "no plan was kept for its kind"
UNFIT = "the kept plan does not pass the check for this request"


async def reused(engine: Engine, run: LiveRun, playbook: Playbook) -> bool:
    """Write down the plan that is kept for requests like this one, and its check; False when the planner is to be asked.

    The check is made against this request, this policy and these people, as that of any plan: a plan that does not pass
    it is not used. Only a run's first plan is taken from a template.
    """
    state, templates = run.state, engine.templates
    if templates is None or not _is_first(state):
        return False
    key = engine.compiler.key(playbook, state.request or {})
    if key is None:
        return False
    template = await templates.find(key.digest)
    if template is None:
        templates.missed(playbook.id, NONE_KEPT)
        return False
    written = ev.PlanWritten(
        revision=1, plan=template.plan, author=DECIDER, decision=_decision(template), template=template.id
    )
    ready = as_next(state, written)
    await engine.autonomy.refresh(engine.clock.now())
    body, checked = check_plan(engine, ready, written.plan)
    if checked.plan is None:
        templates.missed(playbook.id, UNFIT)
        return False
    rows = time_timer(engine, ready)
    run.note(Event("plan:1:written", written), Event("plan:1:checked", body), rows=rows)
    templates.used(template.id)
    return True


def keep(engine: Engine, state: RunFold, checked: Checked) -> None:
    """Keep the plan that was just checked, where it is the planner's first and fits every request of its shape."""
    playbook, written = playbook_of(engine, state), state.written
    if engine.templates is None or checked.plan is None or isinstance(playbook, Drift):
        return
    if written is None or written.revision != 1 or written.template or not _is_live(state) or state.at is None:
        return
    key = engine.compiler.key(playbook, state.request or {})
    if key is None:
        return
    made = engine.compiler.template(
        key,
        playbook,
        checked.plan.plan,
        written.decision,
        run_id=state.run_id,
        took_ms=written.took_ms,
        at=state.at,
    )
    if isinstance(made, Template):
        engine.templates.keep(made)
    else:
        engine.templates.missed(playbook.id, f"not kept: {made}")


def blame(engine: Engine, state: RunFold) -> None:
    """Say of the template which step of its plan cannot be done. What people refuse, or a system is down for, is not its fault."""
    if engine.templates is None or state.written is None or not state.written.template or not _is_live(state):
        return
    for step_id in state.bad_ends:
        ended = state.step(step_id).ended
        if ended is not None and _cannot_be_done(ended) and state.at is not None:
            named = written_id(step_id)
            failure = TemplateFailure(state.written.template, state.run_id, named, ended.tool, state.at)
            engine.templates.failed(failure)
            return


def _cannot_be_done(ended: ev.StepEnded) -> bool:
    failure = ended.failure
    return ended.status is StepStatus.FAILED and failure is not None and failure.failure is FailureClass.PERMANENT


def _is_first(state: RunFold) -> bool:
    return state.latest == 0 and _is_live(state)


def _is_live(state: RunFold) -> bool:
    return state.admitted is not None and not state.admitted.dry


def _decision(template: Template) -> Decision:
    steps, goals = template.plan["steps"], template.plan.get("goal_steps", {})
    once = TemplateRow(template, hits=1)
    return Decision(
        kind=DecisionKind.PLAN,
        subject=template.playbook,
        choice=f"{len(steps)} steps for {len(goals)} goals",
        reasoning="A plan for a request of the same shape passed its check before and is used again;"
        " it was checked against this request like a new one.",
        confidence=template.confidence,
        decider=DECIDER,
        evidence=(
            f"template {template.id}",
            f"planned by {template.decider} in run {template.first_run}, {template.confidence:.0%} sure",
            f"saved {saving(once.saved_calls, once.saved_microusd, once.saved_ms)}",
        ),
    )
