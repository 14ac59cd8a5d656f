"""A plan made anew after a failure, joined to what was done: that stays as it is, under its ids."""

from __future__ import annotations

from collections.abc import Mapping

from agents.offline.repair import free_id, with_ids
from agents.ports import PlanningTask
from governance.effects import EffectClass
from plans.language import RESERVED, Plan, Step
from tools.contract import ToolSpec


def joined(plan: Plan, task: PlanningTask) -> tuple[Plan, list[str]]:
    """The plan with every step that stands, and new ids for what would otherwise take the id of another; and what was done."""
    if task.standing is None:
        return plan, []
    old = {step.id: step for step in task.standing.steps}
    stands = {step.id for step in task.done if step.id in old}
    spoilt = {step.id for step in task.failed}
    taken = {step.id for step in plan.steps} | old.keys() | spoilt | set(RESERVED)
    renamed: dict[str, str] = {}
    for step in plan.steps:
        if step.id in spoilt or (step.id in stands and not _same(step, old[step.id])):
            renamed[step.id] = free_id(step.id, taken)
            taken.add(renamed[step.id])
    new = with_ids(plan, renamed)
    fresh = [old[step.id] if step.id in stands else step for step in new.steps]
    # Done for a step that is not there any more, and still to be seen and undone.
    left = [step for step in task.standing.steps if step.id in stands and step.id not in {each.id for each in fresh}]
    steps = tuple(_last(step, stands, left, task.tools) for step in _settled([*left, *fresh], renamed))
    said = [f"without {', '.join(sorted(spoilt))}", *(f"{was} is {now} now" for was, now in renamed.items())]
    return new.model_copy(update={"steps": steps}), said


def _same(one: Step, other: Step) -> bool:
    return (one.tool, one.args, one.for_each) == (other.tool, other.args, other.for_each)


def _settled(steps: list[Step], renamed: Mapping[str, str]) -> list[Step]:
    """Steps that stand keep what they waited for, as far as it is still in the plan or has a new id."""
    there = {step.id for step in steps}
    found = []
    for step in steps:
        after = tuple(dict.fromkeys(renamed.get(other, other) for other in step.after))
        found.append(step.model_copy(update={"after": tuple(other for other in after if other in there)}))
    return found


def _last(step: Step, stands: set[str], left: list[Step], tools: Mapping[str, ToolSpec]) -> Step:
    """An irreversible step that is still to come waits for all that was done and can be undone."""
    spec = tools.get(step.tool)
    if spec is None or step.id in stands or spec.effect is EffectClass.READ or not spec.irreversible:
        return step
    undoable = [other.id for other in left if tools[other.tool].undo is not None]
    return step.model_copy(update={"after": tuple(dict.fromkeys([*step.after, *undoable]))})
