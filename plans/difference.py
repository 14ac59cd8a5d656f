"""What one revision of a plan changes against the one before, and which of it a person must agree to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from governance.differences import PlanDifference
from governance.effects import EffectClass
from plans.language import Plan, Step
from plans.recall import step_references
from tools.contract import ToolSpec


def difference(old: Plan, new: Plan, tools: Mapping[str, ToolSpec]) -> PlanDifference:
    """The difference, steps by id. Pure.

    ``widens`` says what the new revision does that the old one did not: another tool, another effect, or an effect with
    other arguments (recipients and amounts among them, also where these come from a step that was changed), for another
    list, or on another condition. Steps that only
    read with tools of the old plan, and steps that are left out, widen nothing.
    """
    before, after = {step.id: step for step in old.steps}, {step.id: step for step in new.steps}
    added = [step for step_id, step in after.items() if step_id not in before]
    dropped = [step_id for step_id in before if step_id not in after]
    changed = [step for step_id, step in after.items() if step_id in before and step != before[step_id]]
    known = {step.tool for step in old.steps}
    widens = [
        *(line for step in added for line in _added(step, known, tools)),
        *(line for step in changed for line in _changed(before[step.id], step, known, tools)),
        *_fed(new, {step.id for step in changed if _gives_other(before[step.id], step)}, tools),
    ]
    shown = [f"adds {step.id}: {step.tool}" for step in added]
    shown += [f"drops {step_id}: {before[step_id].tool}" for step_id in dropped]
    shown += [f"changes {step.id}: {', '.join(_fields(before[step.id], step))}" for step in changed]
    return PlanDifference(
        added=tuple(step.id for step in added),
        dropped=tuple(dropped),
        changed=tuple(step.id for step in changed),
        widens=tuple(widens),
        shown=tuple(shown),
    )


def _added(step: Step, known: set[str], tools: Mapping[str, ToolSpec]) -> Iterator[str]:
    if _has_effect(step, tools):
        yield f"{step.id} is a new effect: {step.tool}"
    elif step.tool not in known:
        yield f"{step.id} uses a tool that the plan did not have: {step.tool}"


def _changed(old: Step, new: Step, known: set[str], tools: Mapping[str, ToolSpec]) -> Iterator[str]:
    what = [name for name in _fields(old, new) if name in {"tool", "args", "when", "for_each", "decide"}]
    if what and (_has_effect(new, tools) or _has_effect(old, tools)):
        yield f"the effect {new.id} is not what it was: {', '.join(what)}"
    elif new.tool not in known:
        yield f"{new.id} uses a tool that the plan did not have: {new.tool}"


def _gives_other(old: Step, new: Step) -> bool:
    """Whether what a step gives may be another thing than before, or nothing, so that a ``$first`` takes what comes next."""
    return bool({"tool", "args", "when", "for_each", "decide"} & set(_fields(old, new)))


def _fed(new: Plan, changed: set[str], tools: Mapping[str, ToolSpec]) -> Iterator[str]:
    """Effects whose values come, directly or through others, from a step that was changed: a recipient may be another."""
    fed, more = set(changed), True
    while more:
        reached = {step.id for step in new.steps if step_references(step) & fed}
        fed, more = fed | reached, not reached <= fed
    for step in new.steps:
        if step.id in fed - changed and _has_effect(step, tools):
            yield f"the effect {step.id} takes values from a step that was changed"


def _fields(old: Step, new: Step) -> list[str]:
    return [name for name in Step.model_fields if getattr(old, name) != getattr(new, name)]


def _has_effect(step: Step, tools: Mapping[str, ToolSpec]) -> bool:
    spec = tools.get(step.tool)
    return spec is None or spec.effect is not EffectClass.READ
