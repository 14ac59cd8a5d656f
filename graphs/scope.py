"""What references of a step may see at run time."""

from __future__ import annotations

from typing import Any

from governance.effects import StepStatus
from graphs.fold import RunFold
from plans.language import step_and_item


def scope_of(state: RunFold, step_id: str = "") -> dict[str, Any]:
    """The request, the outputs of steps that were done, and the item of a step that is there for one."""
    outputs = {
        done_id: step.ended.output or {}
        for done_id, step in state.steps.items()
        if step.ended is not None and step.ended.status is StepStatus.DONE
    }
    scope = {"request": dict(state.request or {}), **outputs}
    written, key = step_and_item(step_id)
    item = next((item for item in state.expanded.get(written, ()) if key and item.key == key), None)
    return scope | {"item": item.value} if item is not None else scope
