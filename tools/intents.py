"""Making the intent: the durable note before an effect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from governance.effects import EffectClass, Intent, UndoCall
from tools.contract import Order, ToolModel


def intent_for(order: Order, given: ToolModel, *, now: datetime) -> Intent:
    """The intent of an order that has none. Its deadline is one time-out from ``now``; a key's life counts from ``now``."""
    tool = order.tool
    lifetime = tool.key_lifetime if tool.effect is EffectClass.KEYED else None
    return Intent(
        step=order.step,
        tool=tool.id,
        args=order.args,
        effect=tool.effect,
        key=order.key,
        began=now,
        deadline=now + tool.timeout,
        key_expires=now + lifetime if lifetime else None,
        undo=_undo(tool.undo, given),
        grant=order.grant,
        callback=order.mark,
        answer_by=now + tool.deferred if tool.deferred else None,
    )


def _undo(undo: UndoCall | None, given: ToolModel) -> UndoCall | None:
    """The undo with its ``input.…`` references resolved; those to ``output.…`` stay until there is one."""
    if undo is None or not _asks_input(undo.args):
        return undo
    return undo.model_copy(update={"args": _resolved(undo.args, given.model_dump(mode="json"))})


def _asks_input(value: Any) -> bool:
    if isinstance(value, list):
        return any(_asks_input(item) for item in value)
    if not isinstance(value, dict):
        return False
    reference = value.get("$ref")
    if len(value) == 1 and isinstance(reference, str):
        return reference.partition(".")[0] == "input"
    return any(_asks_input(item) for item in value.values())


def _resolved(value: Any, given: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_resolved(item, given) for item in value]
    if not isinstance(value, dict):
        return value
    reference = value.get("$ref")
    if len(value) == 1 and isinstance(reference, str):
        root, *path = reference.split(".")
        return _follow(given, path) if root == "input" else value
    return {name: _resolved(item, given) for name, item in value.items()}


def _follow(value: Any, path: Iterable[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
