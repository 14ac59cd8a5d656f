"""The offline planner: a backward-chaining search from the goals through the tools' typed inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from agents.offline.drafting import Act, Draft, DraftStep
from agents.offline.ordering import put_in_order
from agents.offline.repair import amended
from agents.offline.revising import joined
from agents.offline.roles import Roles
from agents.offline.search import Builder
from agents.offline.slots import slots
from agents.offline.sources import RequestFields
from agents.offline.wording import RULE, confidence, reason
from agents.ports import PlanningTask, Proposal
from governance.conditions import Truth, problems
from governance.decisions import Alternative, Decision, DecisionKind
from governance.goals import Goal
from plans.implication import settled
from plans.language import Plan, Step
from tools.contract import ToolSpec

DECIDER = "rule:backward-planner"


class OfflinePlanner:
    """Plans by rule. The same task always gives the same plan; a playbook's guidance is for models and not read here.

    An input comes, in this order: from the goal; from the request, by semantic type and role; from a step that is in
    the plan already; from the cheapest further tool, reads before effects. What cannot be found is left out, and the
    checker names it. A choice between equals lowers the confidence and is said in the step's reason.
    """

    identity = f"{DECIDER}@1"  # another number when the same task would give another plan

    async def plan(self, task: PlanningTask) -> Proposal:
        """A plan for the task's goals; goals whose condition is surely false for this request need no step."""
        wanted = [goal for goal in task.goals if _may_hold(goal, task.request)]
        draft = Draft()
        fields = tuple(field for field in slots(task.request_schema) if task.request.get(field.name) is not None)
        roles = Roles.of_request(slots(task.request_schema))
        builder = Builder(_latest(task.tools, task.avoid), RequestFields(fields, roles), roles, draft)
        unreached = builder.build(wanted)
        goal_steps = {goal.id: step.id for step in draft.steps.values() for goal in step.goals}
        put_in_order(draft, goal_steps)
        plan = Plan(
            playbook=task.playbook,
            goal_steps={goal.id: goal_steps[goal.id] for goal in wanted if goal.id in goal_steps},
            steps=tuple(_step(step, draft) for step in _in_reading_order(draft)),
        )
        amendments: list[str] = []
        if task.previous is not None:
            plan, amendments = amended(plan, task.previous, task.findings)
        plan, joins = joined(plan, task)
        amendments += joins
        left_out = [goal for goal in task.goals if goal not in wanted]
        return Proposal(plan=plan.document(), decision=_decision(task, plan, draft, unreached, left_out, amendments))


def _may_hold(goal: Goal, request: Mapping[str, object]) -> bool:
    if goal.when is None or problems(goal.when):
        return True
    return settled(goal.when, request) is not Truth.NO


def _latest(tools: Mapping[str, ToolSpec], avoid: frozenset[str]) -> tuple[Act, ...]:
    """The newest version of each tool, ordered by name, without those that failed in this run."""
    newest: dict[str, ToolSpec] = {}
    for spec in tools.values():
        if spec.id in avoid:
            continue
        known = newest.get(spec.name)
        if known is None or _version(spec) > _version(known):
            newest[spec.name] = spec
    return tuple(Act.of(newest[name]) for name in sorted(newest))


def _version(spec: ToolSpec) -> int:
    digits = spec.id.rpartition("@")[2]
    return int(digits) if digits.isdecimal() else 0


def _step(step: DraftStep, draft: Draft) -> Step:
    return Step(
        id=step.id,
        tool=step.act.spec.id,
        args=step.args,
        reason=reason(step, draft),
        confidence=confidence(step),
        when=step.when,
        after=tuple(sorted(step.after)),
        decide=step.decide,
    )


def _in_reading_order(draft: Draft) -> Iterable[DraftStep]:
    """What a step needs stands before it; otherwise in the order of the goals."""
    written: dict[str, DraftStep] = {}

    def write(step: DraftStep, above: frozenset[str]) -> None:
        for other in sorted(step.needs() | set(step.after)):
            if other in draft.steps and other not in written and other not in above:
                write(draft.steps[other], above | {step.id})
        written.setdefault(step.id, step)

    for step in draft.steps.values():
        write(step, frozenset({step.id}))
    return written.values()


def _decision(
    task: PlanningTask,
    plan: Plan,
    draft: Draft,
    unreached: Sequence[Goal],
    left_out: Sequence[Goal],
    amendments: Sequence[str],
) -> Decision:
    weakest = min((step.confidence for step in plan.steps), default=0.0)
    evidence = [f"{goal} is reached by {step}" for goal, step in plan.goal_steps.items()]
    evidence += [f"{goal.id} needs no step: its condition is false for this request" for goal in left_out]
    evidence += [f"no tool provides {goal.provides}, which the goal {goal.id} needs" for goal in unreached]
    doubts = [f"{step.id}: {note}" for step in draft.steps.values() for note in step.notes]
    return Decision(
        kind=DecisionKind.PLAN,
        subject=task.playbook,
        choice=f"{len(plan.steps)} steps for {len(plan.goal_steps)} goals",
        reasoning="Searched backward from the goals through the tools' typed inputs and outputs; every step serves a"
        f" goal. Confidence is that of the weakest step; a step's is {RULE}."
        + (f" Repaired: {'; '.join(amendments)}." if amendments else ""),
        confidence=0.0 if unreached else weakest,
        decider=DECIDER,
        alternatives=tuple(
            Alternative(choice=note, why_not="equally good; the first by name was taken") for note in doubts
        ),
        evidence=tuple(evidence),
    )
