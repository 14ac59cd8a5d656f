"""Conditions, and plans that may be broken, as people read them."""

from __future__ import annotations

import json
from collections.abc import Mapping

from plans.language import Step

_WORDS: Mapping[str, str] = {
    "$eq": "is",
    "$ne": "is not",
    "$lt": "<",
    "$le": "≤",
    "$gt": ">",
    "$ge": "≥",
    "$in": "in",
    "$has": "has",
}


def condition_text(condition: object) -> str:
    """A condition as people read it: ``request.work_mode is not remote``. Total."""
    if isinstance(condition, Mapping) and len(condition) == 1:
        ((name, body),) = condition.items()
        if name in _WORDS and isinstance(body, list) and len(body) == 2:
            return f"{_operand(body[0])} {_WORDS[name]} {_operand(body[1])}"
        if name in {"$all", "$any"} and isinstance(body, list):
            joint = " and " if name == "$all" else " or "
            return "(" + joint.join(condition_text(part) for part in body) + ")"
        if name == "$not":
            return f"not {condition_text(body)}"
        if name == "$exists":
            return f"there is {_operand(body)}"
    return _operand(condition)


def beside(step: Step) -> list[str]:
    """What else holds a step back or repeats it, as people read it."""
    parts = [f"for each of {_value(step.for_each.items)}"] if step.for_each is not None else []
    return parts + ([f"not before {_value(step.not_before)}"] if step.not_before is not None else [])


def _value(value: object) -> str:
    if isinstance(value, Mapping) and set(value) == {"$first"}:
        return " or ".join(_value(part) for part in value["$first"])
    return _operand(value)


def _operand(value: object) -> str:
    if isinstance(value, Mapping) and set(value) == {"$ref"}:
        return str(value["$ref"])
    if isinstance(value, list | tuple):
        return ", ".join(_operand(part) for part in value)
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def read_steps(document: object) -> list[tuple[str, str, str]]:
    """Id, tool and reason of each step of a document, as far as they can be read. Total."""
    listed = document.get("steps") if isinstance(document, Mapping) else None
    steps = [step for step in listed if isinstance(step, Mapping)] if isinstance(listed, list) else []
    return [(_word(step.get("id")), _word(step.get("tool")), _word(step.get("reason"))) for step in steps]


def _word(value: object) -> str:
    return value if isinstance(value, str) else "?"
