"""How good is a plan: does it pass the checker, before and after repair; is it what was meant; how near to the least?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agents.evaluation.corpus import Case, Shape
from agents.evaluation.optimum import Bound, bound
from agents.ports import Planner, PlanningTask
from governance.conditions import Truth
from governance.decisions import ModelUse
from governance.people import Directory, Person
from governance.policy import Policy, PolicyRule, RulingKind
from plans.checked import Checked, CheckedPlan, Premises
from plans.checker import check
from plans.implication import settled
from playbooks.model import Playbook
from playbooks.requests import closed_schema, complete, request_findings
from tools.contract import ToolSpec


@dataclass(frozen=True)
class Ground:
    """What plans are made from and checked against. ``repairs``: how often findings go back to the planner at most.

    ``bounds`` keeps what was searched already.
    """

    tools: Mapping[str, ToolSpec]
    policy: Sequence[PolicyRule]
    directory: Directory
    repairs: int
    bounds: dict[tuple[str, frozenset[str], tuple[str, ...]], Bound] = field(default_factory=dict)

    def least(self, playbook: Playbook, request: Mapping[str, Any]) -> Bound:
        """The bound for a request; searched once for all requests with the same fields and goals."""
        goals = [goal for goal in playbook.goals if goal.when is None or settled(goal.when, request) is not Truth.NO]
        key = playbook.id, frozenset(request), tuple(goal.id for goal in goals)
        if key not in self.bounds:
            self.bounds[key] = bound(goals, request, closed_schema(playbook), self.tools)
        return self.bounds[key]


@dataclass(frozen=True)
class Planned:
    """A judged plan. ``at_once``: it passed before any repair; ``valid``: it passed; ``faults``: what it is not that was meant.

    ``steps`` and ``path`` (the longest chain) are the plan's, ``least`` the bound's; zeros where no plan passed.
    """

    at_once: bool
    valid: bool
    faults: tuple[str, ...]
    steps: int
    path: int
    least: Bound
    repairs: int
    confidence: float
    uses: tuple[ModelUse, ...] = ()

    @property
    def right(self) -> bool:
        """It passed and is what was meant."""
        return self.valid and not self.faults

    @property
    def optimal(self) -> bool:
        """No right plan has fewer steps, and none of so few a shorter chain."""
        return self.right and (self.steps, self.path) == (self.least.steps, self.least.path)


def request_of(case: Case, playbook: Playbook) -> dict[str, Any] | None:
    """The request that a right answer to the case has; None when it is not whole or not one of the playbook's."""
    said = {**case.expect.either, **case.expect.fields, **case.expect.answers}
    properties = playbook.request.get("properties", {})
    plain = {name: value for name, value in said.items() if name in properties}
    plain = {n: v[1:] if isinstance(v, str) and v.startswith("~") else v for n, v in plain.items()}
    if set(case.expect.asked) - set(case.expect.answers) or request_findings(playbook, plain):
        return None
    return complete(playbook, plain)[0]


async def plan(
    planner: Planner, playbook: Playbook, request: dict[str, Any], shape: Shape | None, by: Person, ground: Ground
) -> Planned:
    """Have a request planned and repaired as a run would, and judge the plan."""
    premises = _premises(playbook, request, by, ground)
    schema = closed_schema(playbook)
    task = PlanningTask(playbook.id, playbook.goals, playbook.guidance, request, schema, ground.tools)
    proposal = await planner.plan(task)
    checked = check(proposal.plan, premises)
    at_once, repairs, uses = checked.plan is not None, 0, [proposal.decision.use]
    while checked.plan is None and repairs < ground.repairs:
        repairs += 1
        proposal = await planner.plan(replace(task, findings=checked.findings))
        checked = check(proposal.plan, premises)
        uses.append(proposal.decision.use)
    return Planned(
        at_once=at_once,
        valid=checked.plan is not None,
        faults=tuple(_faults(checked, shape)),
        steps=len(checked.plan.plan.steps) if checked.plan else 0,
        path=longest_chain(checked.plan) if checked.plan else 0,
        least=ground.least(playbook, request),
        repairs=repairs,
        confidence=proposal.decision.confidence,
        uses=tuple(use for use in uses if use is not None),
    )


def longest_chain(plan_: CheckedPlan) -> int:
    """How many steps the longest chain of steps that wait for each other has."""
    lengths: dict[str, int] = {}

    def length(step: str) -> int:
        if step not in lengths:
            lengths[step] = 1 + max((length(other) for other in plan_.needs.get(step, ())), default=0)
        return lengths[step]

    return max((length(step.id) for step in plan_.plan.steps), default=0)


def _premises(playbook: Playbook, request: dict[str, Any], by: Person, ground: Ground) -> Premises:
    return Premises(
        tools=ground.tools,
        request_schema=closed_schema(playbook),
        request=request,
        goals=playbook.goals,
        policy=Policy((*ground.policy, *playbook.policy)),
        directory=ground.directory,
        requester=by,
        untrusted=playbook.untrusted,
        max_steps=playbook.budget.steps,
        max_money=playbook.budget.money.exact if playbook.budget.money else None,
    )


def _faults(checked: Checked, shape: Shape | None) -> list[str]:
    if checked.plan is None:
        return [f"{finding.code} at {finding.place}" for finding in checked.errors]
    if shape is None:
        return []
    steps = checked.plan.plan.steps
    used = {step.tool.partition("@")[0]: step.id for step in steps}
    gated = {step for step, ruling in checked.plan.rulings.items() if ruling.kind is RulingKind.GATE}
    faults = [f"the goal {goal} is not reached" for goal in shape.goals if goal not in checked.plan.plan.goal_steps]
    faults += [f"{tool} is used" for tool in shape.forbidden if tool in used]
    faults += [f"{tool} goes without a person" for tool in shape.gates if used.get(tool) not in gated]
    if len(steps) > shape.max_steps:
        faults.append(f"{len(steps)} steps, and {shape.max_steps} are plenty")
    return faults
