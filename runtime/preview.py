"""What a run would do: planned and checked as a real one would be, and nothing touched."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from agents.ports import PlanningTask
from governance.effects import UndoItem
from governance.people import Person
from governance.policy import Policy
from graphs.fold import MAX_REPAIRS
from plans.checked import Checked, CheckedPlan, Premises
from plans.checker import check
from playbooks.requests import closed_schema, title_of, validate_request
from runtime.knowledge import Knowledge
from runtime.views import Preview


async def preview(knowledge: Knowledge, playbook_name: str, request: dict[str, Any], by: Person) -> Preview:
    """Plan and check a request.

    Raises:
        NotFound: no such playbook.
        InvalidRequest: the request does not fit it.

    """
    playbook = knowledge.playbook(playbook_name)
    understood = validate_request(playbook, request)
    specs = {tool.id: tool.spec for tool in knowledge.catalog.tools}
    premises = Premises(
        tools=specs,
        request_schema=closed_schema(playbook),
        request=understood,
        goals=playbook.goals_of(understood),
        policy=Policy((*knowledge.policy, *playbook.policy)),
        directory=knowledge.directory,
        requester=by,
        untrusted=playbook.untrusted,
        vouched={},
        max_steps=playbook.budget.steps,
        max_money=playbook.budget.money.exact if playbook.budget.money else None,
    )
    task = PlanningTask(
        playbook.id,
        playbook.goals_of(understood),
        playbook.guidance,
        understood,
        closed_schema(playbook),
        knowledge.specs_for(by) if playbook.open_goals else specs,
    )
    proposal = await knowledge.planner.plan(task)
    checked = check(proposal.plan, premises)
    for _ in range(MAX_REPAIRS):
        if checked.plan is not None:
            break
        proposal = await knowledge.planner.plan(replace(task, findings=checked.findings, rejected=proposal.plan))
        checked = check(proposal.plan, premises)
    return _preview(playbook.id, title_of(playbook, understood), understood, checked, proposal.decision)


def _preview(playbook: str, title: str, request: dict[str, Any], checked: Checked, decision: Any) -> Preview:
    plan = checked.plan
    return Preview(
        playbook=playbook,
        title=title,
        request=request,
        plan=plan.plan if plan else None,
        needs={step: tuple(sorted(needs)) for step, needs in plan.needs.items()} if plan else {},
        findings=checked.findings,
        rulings=checked.rulings,
        undo=_undo(plan) if plan else (),
        decision=decision,
    )


def _undo(plan: CheckedPlan) -> tuple[UndoItem, ...]:
    """The undo list as it would stand after everything was done: newest first, arguments still open."""
    items = []
    for step in reversed(plan.plan.steps):
        spec = plan.tools[step.tool]
        if spec.undo is not None or spec.irreversible:
            items.append(
                UndoItem(step=step.id, tool=step.tool, what=spec.summary, call=spec.undo, why=spec.irreversible)
            )
    return tuple(items)
