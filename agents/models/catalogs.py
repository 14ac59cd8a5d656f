"""A large catalog made small enough to be read: the tools that goals need, and those that find what these need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agents.ports import PlanningTask
from tools.contract import ToolSpec

MOST = 60
_REPAIRED = 2  # a plan that did not pass may have missed a tool: then more are shown


def narrowed(task: PlanningTask, most: int = MOST) -> tuple[ToolSpec, ...]:
    """At most ``most`` tools, ordered by id: providers of the goals first, then whatever gives a type that is needed.

    Tools that failed in this run are left out. A small catalog is given whole.
    """
    tools = sorted((spec for spec in task.tools.values() if spec.id not in task.avoid), key=lambda spec: spec.id)
    most *= _REPAIRED if task.findings else 1
    if len(tools) <= most:
        return tuple(tools)
    wanted = {goal.provides for goal in task.goals}
    kept = {spec.id: spec for spec in tools if spec.provides in wanted}
    known = _types(task.request_schema)
    while len(kept) < most:
        needed = {kind for spec in kept.values() for kind in _types(spec.input)} - known
        more = [spec for spec in tools if spec.id not in kept and needed & _types(spec.output)]
        if not more:
            break
        kept |= {spec.id: spec for spec in _best(more, needed)[: most - len(kept)]}
        known |= needed
    return tuple(sorted(kept.values(), key=lambda spec: spec.id)[:most])


def _best(tools: Sequence[ToolSpec], needed: set[str]) -> list[ToolSpec]:
    """Reads before effects, and those that give the most of what is needed."""
    return sorted(tools, key=lambda spec: (spec.effect.value != "read", -len(needed & _types(spec.output)), spec.id))


def _types(schema: Any) -> set[str]:
    """The semantic types that stand anywhere in a JSON Schema."""
    match schema:
        case Mapping():
            own = {schema["x-semantic"]} if isinstance(schema.get("x-semantic"), str) else set()
            return own.union(*(_types(part) for part in schema.values()))
        case list() | tuple():
            return set().union(*(_types(part) for part in schema))
    return set()
