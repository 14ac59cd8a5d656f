"""Are the playbook's goals reached, each by a step that provides it, with the arguments that it binds?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from governance.conditions import MISSING, Truth, problems
from governance.findings import Finding
from governance.goals import Goal
from plans import codes
from plans.expressions import parse
from plans.implication import conjuncts, implies, settled
from plans.resolve import evaluate_expression
from plans.schemas import close, listed
from plans.subject import Subject

_ROOT = re.compile(r"(?<!\{)\{([a-z][a-z0-9_]*)")


def goal_findings(subject: Subject) -> Iterator[Finding]:
    """Goals that are not reached, or not as the playbook wants."""
    goals = {goal.id: goal for goal in subject.premises.goals}
    for name in subject.plan.goal_steps:
        if name not in goals:
            near = close(name, list(goals))
            fix = f"did you mean {near}?" if near else f"the goals are {listed(list(goals))}"
            yield codes.UNKNOWN_GOAL(f"goal_steps.{name}", f"the playbook has no goal “{name}”", fix)
    for goal in goals.values():
        yield from _goal(goal, goals, subject)


def _goal(goal: Goal, goals: dict[str, Goal], subject: Subject) -> Iterator[Finding]:
    place = f"goal_steps.{goal.id}"
    step_id = subject.plan.goal_steps.get(goal.id)
    if step_id is None:
        if settled(goal.when, subject.premises.request) is not Truth.NO:
            sentence = f"no step is named that reaches {goal.id} ({goal.provides})"
            yield codes.GOAL_UNREACHED(place, sentence, _reacher(goal, subject))
        return
    if step_id not in subject.steps:
        if step_id not in subject.scope.broken:
            yield codes.GOAL_UNREACHED(place, f"there is no step “{step_id}”", _reacher(goal, subject))
        return
    tool = subject.tools.get(step_id)
    if tool is not None and tool.spec.provides != goal.provides:
        given = tool.spec.provides or "nothing that lasts"
        yield codes.GOAL_WRONG_TOOL(
            place, f"{step_id} provides {given}, and {goal.id} wants {goal.provides}", _reacher(goal, subject)
        )
        return
    yield from _args(goal, step_id, subject)
    yield from _narrowed(goal, step_id, subject)
    yield from _order(goal, goals, step_id, subject)


def _reacher(goal: Goal, subject: Subject) -> str:
    """What would reach a goal: a step that is there, or a tool."""
    for step_id, tool in subject.tools.items():
        if tool.spec.provides == goal.provides and step_id not in subject.plan.goal_steps.values():
            return f"goal_steps: {{{goal.id}: {step_id}}}"
    able = [tool_id for tool_id, spec in subject.premises.tools.items() if spec.provides == goal.provides]
    return f"add a step with {able[-1]}" if able else f"no tool in the catalog provides {goal.provides}"


def _renamed(value: Any, steps: Mapping[str, str]) -> Any:
    """The goal's word with the ids of steps for those of goals: how a plan must write it."""
    if isinstance(value, Mapping):
        if set(value) == {"$ref"} and isinstance(value["$ref"], str):
            root, dot, rest = value["$ref"].partition(".")
            return {"$ref": f"{steps.get(root, root)}{dot}{rest}"}
        if set(value) == {"$text"} and isinstance(value["$text"], str):
            return {"$text": _ROOT.sub(lambda hole: f"{{{steps.get(hole[1], hole[1])}", value["$text"])}
        return {name: _renamed(part, steps) for name, part in value.items()}
    return [_renamed(part, steps) for part in value] if isinstance(value, list | tuple) else value


def _args(goal: Goal, step_id: str, subject: Subject) -> Iterator[Finding]:
    step = subject.steps[step_id]
    for name, bound in _renamed(goal.args, subject.plan.goal_steps).items():
        place = f"steps.{step_id}.args.{name}"
        if name not in step.args:
            yield codes.GOAL_ARGS(place, f"the goal {goal.id} binds {name}", f"write {name}: {bound!r}")
        elif not _agree(step.args[name], bound, subject):
            yield codes.GOAL_ARGS(place, f"the goal {goal.id} binds {name} to something else", f"write {bound!r}")


def _agree(written: Any, bound: Any, subject: Subject) -> bool:
    if written == bound and isinstance(written, bool) == isinstance(bound, bool):
        return True
    values = [evaluate_expression(parse(each), {"request": subject.premises.request}) for each in (written, bound)]
    return values[0] is not MISSING and values[0] == values[1] and isinstance(values[0], type(values[1]))


def _narrowed(goal: Goal, step_id: str, subject: Subject) -> Iterator[Finding]:
    when = subject.whens.get(step_id)
    wanted = _renamed(goal.when, subject.plan.goal_steps)
    known = conjuncts(wanted) if wanted is None or not problems(wanted) else ()
    if when is not None and not implies(known, when):
        fix = f"write when: {wanted!r}" if wanted else "leave `when` out"
        yield codes.GOAL_NARROWED(f"steps.{step_id}.when", f"{step_id} may be skipped where {goal.id} is wanted", fix)


def _order(goal: Goal, goals: dict[str, Goal], step_id: str, subject: Subject) -> Iterator[Finding]:
    knotted = {each for circle in subject.cycles for each in circle}
    if step_id in knotted:
        return
    for name in goal.after:
        other = subject.plan.goal_steps.get(name)
        if name not in goals or other is None or other not in subject.steps or other in knotted or other == step_id:
            continue
        if other not in subject.before[step_id]:
            after = [*subject.steps[step_id].after, other]
            yield codes.GOAL_ORDER(
                f"steps.{step_id}.after",
                f"{goal.id} comes after {name}, but {step_id} does not wait for {other}",
                f"after: [{', '.join(after)}]",
            )
