"""What a plan made anew still owes to the revision before it: steps already begun keep their ids to themselves."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from governance.findings import Finding
from plans.language import RESERVED, ForEach, Plan, Step

_BEGUN_CHANGED = "begun-changed"
_HOLE = re.compile(r"\{([a-z][a-z0-9_]*)(?=[.}])")


def amended(plan: Plan, previous: Plan, findings: Sequence[Finding]) -> tuple[Plan, list[str]]:
    """The plan with the mechanical repairs that findings about ``previous`` ask for, and what was done, in words.

    Planning anew mends everything else that can be mended. What it cannot know is what has begun: a step that a
    finding calls changed takes a new id, wherever it is named.
    """
    named = {finding.place.split(".")[1] for finding in findings if _speaks_of_begun(finding)}
    changed = [step.id for step in plan.steps if step.id in named and _same(step, previous)]
    taken = {step.id for step in (*plan.steps, *previous.steps)} | set(RESERVED)
    renamed: dict[str, str] = {}
    for step_id in changed:
        renamed[step_id] = free_id(step_id, taken)
        taken.add(renamed[step_id])
    if not renamed:
        return plan, ["planned anew from the goals"]
    said = [f"{old} had begun otherwise, so it is {new} now" for old, new in renamed.items()]
    return with_ids(plan, renamed), said


def with_ids(plan: Plan, renamed: Mapping[str, str]) -> Plan:
    """The plan with other ids for some of its steps, wherever they are named."""
    steps = tuple(
        step.model_copy(
            update={
                "id": renamed.get(step.id, step.id),
                "args": _renamed(step.args, renamed),
                "when": _renamed(step.when, renamed),
                "not_before": _renamed(step.not_before, renamed),
                "for_each": _list_renamed(step.for_each, renamed),
                "after": tuple(renamed.get(other, other) for other in step.after),
            }
        )
        for step in plan.steps
    )
    goal_steps = {goal: renamed.get(step_id, step_id) for goal, step_id in plan.goal_steps.items()}
    return plan.model_copy(update={"steps": steps, "goal_steps": goal_steps})


def _list_renamed(given: ForEach | None, renamed: Mapping[str, str]) -> ForEach | None:
    if given is None:
        return None
    parts = {"items": _renamed(given.items, renamed), "key": _renamed(given.key, renamed)}
    return given.model_copy(update=parts)


def _speaks_of_begun(finding: Finding) -> bool:
    return finding.code == _BEGUN_CHANGED and finding.place.startswith("steps.")


def _same(step: Step, previous: Plan) -> bool:
    """Whether planning anew gave just what the finding was about."""
    return any((old.id, old.tool, old.args) == (step.id, step.tool, step.args) for old in previous.steps)


def free_id(step_id: str, taken: set[str]) -> str:
    """The id with the lowest number from 2 on that nobody has."""
    number = 2
    while f"{step_id}_{number}" in taken:
        number += 1
    return f"{step_id}_{number}"


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """The value with references to renamed steps following them, at any depth."""
    match value:
        case {"$ref": str(path), **rest} if not rest:
            root, dot, more = path.partition(".")
            return {"$ref": names.get(root, root) + dot + more}
        case {"$text": str(template), **rest} if not rest:
            return {"$text": _HOLE.sub(lambda hole: "{" + names.get(hole[1], hole[1]), template)}
        case dict():
            return {key: _renamed(part, names) for key, part in value.items()}
        case list() | tuple():
            return [_renamed(part, names) for part in value]
    return value
