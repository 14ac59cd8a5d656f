"""The shape of a request: what a plan for it may depend on, and nothing else.

A planner decides by which fields there are, by the choices among words that the playbook itself lists, and by the
conditions of the goals. These are the shape. All other values reach a plan by reference only; a plan into which one of
them was written is not kept (agents/generalising.py), so it cannot matter which they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agents.offline.slots import Slot, slots
from governance.conditions import evaluate, problems
from playbooks.model import Playbook

GIVEN = "given"


@dataclass(frozen=True)
class RequestShape:
    """``value`` is plain JSON made of the playbook's own words; ``free`` are the values that are not in it."""

    value: dict[str, Any]
    free: frozenset[str | int | float]


def shape_of(playbook: Playbook, request: Mapping[str, Any]) -> RequestShape:
    """The shape of a completed request. Total.

    A field is in it with its value where the playbook lists the value (an enum, a truth value, the field's default, what
    a derived field's table gives), with its parts where it is an object, and otherwise as given. Of each comparison in the
    goals' conditions it has the answer, so that a condition on an amount tells large from small and not one from another.
    """
    free: list[Any] = []
    fields = _fields(playbook.request, playbook.request.get("$defs", {}), request, _own(playbook), free)
    answers = [evaluate(each, {"request": request}).value for goal in playbook.goals for each in _atoms(goal.when)]
    return RequestShape({"fields": fields, "answers": answers}, frozenset(_scalars(free)))


def _own(playbook: Playbook) -> dict[str, list[Any]]:
    """For each field the values that the playbook itself would give it."""
    own: dict[str, list[Any]] = {}
    properties = playbook.request.get("properties", {})
    for name, schema in properties.items() if isinstance(properties, Mapping) else ():
        if isinstance(schema, Mapping) and "default" in schema:
            own.setdefault(name, []).append(schema["default"])
    for name, expression in playbook.derived.items():
        match expression:
            case {"$map": [_, dict(table)]}:
                own.setdefault(name, []).extend(table.values())
    return own


def _fields(
    schema: Mapping[str, Any],
    definitions: Mapping[str, Any],
    values: Mapping[str, Any],
    own: Mapping[str, list[Any]],
    free: list[Any],
) -> dict[str, Any]:
    known = {slot.name: slot for slot in slots({**schema, "$defs": definitions})}
    found: dict[str, Any] = {}
    for name, slot in known.items():
        value, inner = values.get(name), schema["properties"][name]
        if value is None:
            continue
        if _is_listed(slot, value) or any(_same(value, each) for each in own.get(name, ())):
            found[name] = {"is": value}
        elif isinstance(value, Mapping) and isinstance(inner, Mapping) and isinstance(inner.get("properties"), Mapping):
            found[name] = _fields(inner, definitions, value, {}, free)
        else:
            found[name] = "empty" if value in ([], {}, "") else GIVEN
            free.append(value)
    undeclared = [value for name, value in values.items() if name not in known]
    if undeclared:
        found["…"] = len(undeclared)
        free += [{name: value} for name, value in values.items() if name not in known]
    return found


def _is_listed(slot: Slot, value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and slot.many and all(_is_one(slot, each) for each in value)
    return _is_one(slot, value)


def _is_one(slot: Slot, value: Any) -> bool:
    return isinstance(value, bool) or any(_same(value, choice) for choice in slot.choices)


def _same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _atoms(condition: Any) -> Iterator[Mapping[str, Any]]:
    """The comparisons that a condition is made of, in order."""
    if condition is None or problems(condition):
        return
    ((name, body),) = condition.items()
    if name in {"$all", "$any"}:
        for part in body:
            yield from _atoms(part)
    elif name == "$not":
        yield from _atoms(body)
    else:
        yield condition


def _scalars(value: Any) -> Iterator[str | int | float]:
    """Every text and number in a value; the names of undeclared fields too."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield str(name)
            yield from _scalars(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _scalars(part)
    elif isinstance(value, str | int | float) and not isinstance(value, bool):
        yield value
