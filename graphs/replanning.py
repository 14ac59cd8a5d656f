"""Planning again after a failure: what the planner is told, and what a revision does without.

The planner sees typed summaries only: ids, numbers, truth values and enums of what was done, class and code of what
failed. Text that came from outside could tell it what to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from agents.ports import DoneStep, FailedStep, PlanningTask
from governance.effects import StepStatus
from graphs.engine import Engine
from graphs.fold import MAX_REPLANS, RunFold
from plans.language import Plan, written_id
from plans.schemas import Shape, alternatives, member
from tools.contract import ToolSpec

_PLAIN = frozenset({"integer", "number", "boolean"})


def instead_of(state: RunFold) -> tuple[str, ...]:
    """The failed steps that the next revision does without; those of the replan that it repairs, if it repairs one."""
    if state.unsettled and state.written is not None:
        return state.written.instead_of
    return state.bad_ends if state.replans_now else ()


def stopped_in(state: RunFold, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Steps that were stopped because another failed, and that the next revision has: they are taken up anew."""
    steps = document.get("steps")
    named = [step.get("id") for step in steps if isinstance(step, Mapping)] if isinstance(steps, list) else []
    listed = {step_id for step_id in named if isinstance(step_id, str)}  # a plan may be broken, until checked
    ends = {i: step.ended for i, step in state.steps.items() if step.ended is not None}
    stopped = [i for i, ended in ends.items() if ended.status is StepStatus.STOPPED]
    return tuple(i for i in stopped if written_id(i) in listed) if instead_of(state) else ()


def with_history(engine: Engine, state: RunFold, task: PlanningTask) -> PlanningTask:
    """The task with what was done and what failed, where planning follows a failure."""
    given_up = instead_of(state)
    if not given_up:
        return task
    source = state.standing.written if state.unsettled and state.standing else state.written
    before = Plan.model_validate(source.plan) if source is not None else None
    failed = tuple(_failed(state, step_id) for step_id in sorted(state.dropped | set(given_up)))
    return replace(
        task,
        standing=before,
        done=tuple(_done(state, step_id, engine.specs) for step_id in state.steps if _stands(state, step_id)),
        failed=failed,
        avoid=frozenset(step.tool for step in failed),
    )


def alternatives_to(engine: Engine, state: RunFold, tool_id: str) -> tuple[str, ...]:
    """Other tools that provide what a failed one provides, that the requester may use and that have not failed here."""
    spec = engine.specs.get(tool_id)
    requester = engine.directory.find(state.admitted.requester) if state.admitted else None
    if spec is None or not spec.provides or requester is None or state.replans >= MAX_REPLANS:
        return ()
    ends = (step.ended for step in state.steps.values() if step.ended is not None)
    failed = {ended.tool for ended in ends if ended.status is StepStatus.FAILED}
    able = [s for s in engine.specs.values() if s.provides == spec.provides and s.name != spec.name]
    return tuple(s.id for s in able if s.id not in failed and (not s.permission or requester.may(s.permission)))


def _stands(state: RunFold, step_id: str) -> bool:
    return (state.step(step_id).satisfied or state.step(step_id).open) and written_id(step_id) == step_id


def _done(state: RunFold, step_id: str, specs: Mapping[str, ToolSpec]) -> DoneStep:
    ended = state.step(step_id).ended
    intent = state.step(step_id).intent
    tool = ended.tool if ended else intent.tool if intent else ""
    output = ended.output if ended and ended.output and step_id not in state.expanded else {}
    return DoneStep(step_id, tool, ended.status if ended else None, summary(output, specs.get(tool)))


def _failed(state: RunFold, step_id: str) -> FailedStep:
    ended = state.step(step_id).ended
    failure = ended.failure if ended else None
    return FailedStep(step_id, ended.tool if ended else "", failure.failure if failure else None)


def summary(output: Mapping[str, Any], spec: ToolSpec | None) -> dict[str, Any]:
    """The fields of an output that can carry no instruction: numbers, truth values, and values of an enum."""
    if spec is None:
        return {}
    shapes = alternatives(Shape(spec.output, spec.output))
    return {name: value for name, value in output.items() if any(_is_plain(shape, name) for shape in shapes)}


def _is_plain(shape: Shape, name: str) -> bool:
    found = member(shape, name)
    parts = alternatives(found.shape) if found is not None else []
    return bool(parts) and all((set(part.kinds) <= _PLAIN and part.kinds) or "enum" in part.node for part in parts)
