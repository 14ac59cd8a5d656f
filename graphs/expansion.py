"""Steps with ``for_each`` at run time: expanded once, journaled, and from then on a step for each item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from governance import events as ev
from governance.conditions import Truth
from governance.effects import Failure, FailureClass, StepStatus
from graphs.deferral import Over
from graphs.fold import RunFold
from graphs.scope import scope_of
from plans.checked import CheckedPlan
from plans.language import Plan, Step, instance_id, written_id
from plans.loops import ITEM, LONGEST_KEY, Loop, key_text, loop_of
from plans.recall import step_references
from plans.resolve import evaluate_expression, should_run


@dataclass(frozen=True)
class Expand:
    """Journal the items that a step is run for."""

    step: str
    items: tuple[ev.ExpandedItem, ...]


class BadItems(ValueError):
    """The items of a list cannot be told apart, are too many, or are no list; ``str`` says why."""


def unfolded(plan: CheckedPlan, state: RunFold) -> CheckedPlan:
    """The plan with a step for each item of what was expanded; each has its written step's needs and ruling."""
    if not any(step.id in state.expanded for step in plan.plan.steps):
        return plan
    whole = plan.plan.model_copy(update={"steps": with_items(plan.plan, state)})
    needs = {step.id: plan.needs[written_id(step.id)] for step in whole.steps}
    rulings = {step.id: plan.rulings[written_id(step.id)] for step in whole.steps}
    references = {step.id: plan.references.get(step.id) or step_references(step) for step in whole.steps}
    return replace(plan, plan=whole, needs=needs, references=references, rulings=rulings)


def with_items(plan: Plan, state: RunFold) -> tuple[Step, ...]:
    """The steps of the plan, and after each that was expanded one for each item."""
    steps: list[Step] = []
    for step in plan.steps:
        steps.append(step)
        # Not validated: no plan can be written with such an id, so that none stands for another step.
        steps += [
            step.model_copy(update={"id": instance_id(step.id, item.key), "for_each": None, "after": ()})
            for item in (state.expanded.get(step.id, ()) if step.for_each else ())
        ]
    return tuple(steps)


def list_items(step: Step, loop: Loop, scope: Mapping[str, Any]) -> tuple[ev.ExpandedItem, ...]:
    """The items with their keys, in order.

    Raises:
        BadItems: see there.

    """
    items = evaluate_expression(loop.items, scope)
    if not isinstance(items, list):
        raise BadItems(f"{step.id}: the items of for_each are no list")
    if len(items) > loop.most:
        raise BadItems(f"{step.id}: there are {len(items)} items, and {loop.most} are allowed")
    found: dict[str, ev.ExpandedItem] = {}
    for number, value in enumerate(items, 1):
        key = key_text(evaluate_expression(loop.key, {**scope, ITEM: value}))
        if key is None:
            raise BadItems(
                f"{step.id}: item {number} has no key: a legible text of 1 to {LONGEST_KEY} characters without brackets"
            )
        if key in found:
            raise BadItems(f"{step.id}: two items have the key {key}")
        found[key] = ev.ExpandedItem(key=key, value=value)
    return tuple(found.values())


def next_of_loop(state: RunFold, step: Step, *, ready: bool) -> Expand | Over | None:
    """What can be done about a step with ``for_each`` whose references are there; ``ready``: all that it needs is over."""
    loop = loop_of(step)
    if loop is None:
        raise ValueError(f"{step.id} has no for_each")
    if step.id in state.expanded:
        return _collected(state, step.id)
    scope = scope_of(state)
    if not loop.narrows and should_run(step, scope) is not Truth.YES:
        return Over(StepStatus.SKIPPED, why="its condition does not hold") if ready else None
    try:
        return Expand(step.id, list_items(step, loop, scope))
    except BadItems as error:
        failure = Failure(failure=FailureClass.PERMANENT, code="bad_items", message=str(error))
        return Over(StepStatus.FAILED, failure=failure) if ready else None


def _collected(state: RunFold, step_id: str) -> Over | None:
    """Done once every item's step is: the outputs of those that were not skipped, in order."""
    each = [state.step(instance_id(step_id, item.key)) for item in state.expanded[step_id]]
    if not all(known.satisfied for known in each):
        return None
    ends = [known.ended for known in each if known.ended is not None]
    return Over(StepStatus.DONE, output={"items": [e.output or {} for e in ends if e.status is StepStatus.DONE]})


def instances(state: RunFold, step_ids: Sequence[str]) -> tuple[str, ...]:
    """The ids of the steps that these were expanded to."""
    return tuple(instance_id(step_id, item.key) for step_id in step_ids for item in state.expanded.get(step_id, ()))
