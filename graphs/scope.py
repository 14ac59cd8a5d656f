"""What references of a step may see at run time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.effects import StepStatus
from graphs.fold import RunFold
from plans.language import step_and_item


def scope_of(state: RunFold, step_id: str = "") -> Mapping[str, Any]:
    """The request, the outputs of steps that were done, and the item of a step that is there for one."""
    outputs = {
        done_id: step.ended.output or {}
        for done_id, step in state.steps.items()
        if step.ended is not None and step.ended.status is StepStatus.DONE
    }
    return with_item({"request": dict(state.request or {}), **outputs}, state, step_id)


def with_item(scope: Mapping[str, Any], state: RunFold, step_id: str) -> Mapping[str, Any]:
    """The scope with the item, for a step that is there for one."""
    if not state.expanded:
        return scope
    written, key = step_and_item(step_id)
    item = next((item for item in state.expanded.get(written, ()) if key and item.key == key), None)
    return {**scope, "item": item.value} if item is not None else scope
