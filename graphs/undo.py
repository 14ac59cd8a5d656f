"""The undo list of a run: what was really done, newest first, the call that takes each thing back, and how far that is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from governance.conditions import MISSING, look_up
from governance.effects import EffectClass, StepStatus, UndoCall, UndoItem, undo_id
from graphs.fold import RunFold, StepFold
from tools.contract import ToolSpec


def undo_list(state: RunFold, specs: Mapping[str, ToolSpec]) -> tuple[UndoItem, ...]:
    """Lines for every effect that stands or may stand. What was found and not made by this run is not in it."""
    begun = [(step_id, step) for step_id, step in state.steps.items() if step.intent is not None]
    # By the journal's order: several ends can have the same moment.
    begun.sort(key=lambda pair: pair[1].ended_seq if pair[1].ended else sys.maxsize, reverse=True)
    items = [_item(step_id, step, specs) for step_id, step in begun if not state.step(undo_id(step_id)).satisfied]
    return tuple(item for item in items if item is not None)


def tally(state: RunFold) -> str:
    """How far taking back has come: ``3 of 4 effects are taken back. welcome stands: a mail cannot be called back.``"""
    items = state.undoing.items if state.undoing else ()
    if not items:
        return "Nothing had to be taken back."
    back = [item for item in items if state.step(undo_id(item.step)).satisfied]
    gone = sum(1 for item in back if (ended := state.step(undo_id(item.step)).ended) is not None and ended.found)
    counted = f"{len(back)} of {len(items)} effects {'is' if len(back) == 1 else 'are'} taken back"
    parts = [counted + (f", {gone} of them gone already" if gone else "")]
    parts += [f"{item.step} stands: {_why_stands(state, item)}" for item in items if item not in back]
    return " ".join(f"{part.rstrip('.')}." for part in parts)


def _why_stands(state: RunFold, item: UndoItem) -> str:
    if item.call is None:
        return item.why
    undo = state.step(undo_id(item.step))
    if undo.unsure:
        return "nobody knows whether it was taken back"
    failure = undo.ended.failure if undo.ended else None
    return failure.message if failure else "it was not taken back"


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
        return [part for part in (bind(part, scope) for part in value) if part is not MISSING]
    return value
