"""The undo list of a run: what was really done, newest first, and the call that takes each thing back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from governance.conditions import MISSING, look_up
from governance.effects import EffectClass, StepStatus, UndoCall, UndoItem
from graphs.fold import RunFold, StepFold
from tools.contract import ToolSpec


def undo_list(state: RunFold, specs: Mapping[str, ToolSpec]) -> tuple[UndoItem, ...]:
    """Lines for every effect that stands or may stand. What was found and not made by this run is not in it."""
    begun = [(step_id, step) for step_id, step in state.steps.items() if step.intent is not None]
    begun.sort(key=lambda pair: (pair[1].ended_at or pair[1].began_at, pair[0]), reverse=True)
    items = [_item(step_id, step, specs) for step_id, step in begun]
    return tuple(item for item in items if item is not None)


def _item(step_id: str, step: StepFold, specs: Mapping[str, ToolSpec]) -> UndoItem | None:
    intent = step.intent
    if intent is None or intent.effect is EffectClass.READ:
        return None
    spec = specs.get(intent.tool)
    what = spec.summary if spec else intent.tool
    if step.unsure:
        return UndoItem(step=step_id, tool=intent.tool, what=what, why="nobody knows yet whether this happened")
    if step.ended is None or step.ended.status is not StepStatus.DONE or step.ended.found:
        return None
    if intent.undo is None:
        return UndoItem(
            step=step_id, tool=intent.tool, what=what, why=(spec.irreversible if spec else "") or "it has no undo"
        )
    args = bind(intent.undo.args, {"input": intent.args, "output": step.ended.output or {}})
    return UndoItem(step=step_id, tool=intent.tool, what=what, call=UndoCall(tool=intent.undo.tool, args=args))


def bind(value: Any, scope: Mapping[str, Any]) -> Any:
    """``value`` with each ``{"$ref": "input.…"}`` and ``{"$ref": "output.…"}`` replaced; what is missing is left out."""
    if isinstance(value, Mapping):
        if set(value) == {"$ref"}:
            return look_up(str(value["$ref"]), scope)
        bound = {name: bind(part, scope) for name, part in value.items()}
        return {name: part for name, part in bound.items() if part is not MISSING}
    if isinstance(value, list):
        return [bind(part, scope) for part in value]
    return value
