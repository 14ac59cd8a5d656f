"""Run-time values: what a step's expressions come to, given the request and the outputs that are there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from governance.conditions import MISSING, Truth, evaluate, look_up
from governance.errors import StewardError
from plans.expressions import Bad, Expression, Fields, First, Items, Literal, Ref, Text
from plans.language import Step
from tools.contract import ToolSpec


class Unresolved(StewardError):
    """A value that a step needs is not there. A plan that passed the checker does not raise this."""


def resolve_args(step: Step, scope: Mapping[str, Any], spec: ToolSpec) -> dict[str, Any]:
    """The step's arguments as values.

    ``scope`` maps ``request`` to the request and each step that ran to its output. An argument that ``spec`` does not
    require is left out when its reference is missing or null; ``$first`` takes the first value that is neither.

    Raises:
        Unresolved: a required argument, or a part of one, refers to what is not in ``scope``.

    """
    required = spec.input.get("required", ())
    args: dict[str, Any] = {}
    for name, expression in step.expressions.items():
        value = evaluate_expression(expression, scope)
        if not isinstance(expression, Literal) and (value is None or value is MISSING) and name not in required:
            continue
        if value is MISSING:
            raise Unresolved(
                f"{step.id}: the argument {name} refers to something that is not there",
                hint="the step that it refers to was skipped or has not run",
            )
        args[name] = value
    return args


def should_run(step: Step, scope: Mapping[str, Any]) -> Truth:
    """Whether the step's ``when`` holds in ``scope``: YES without one."""
    return Truth.YES if step.when is None else evaluate(step.when, scope)


def evaluate_expression(expression: Expression, scope: Mapping[str, Any]) -> Any:
    """The expression's value, or ``MISSING`` where it, or any part of it, is not there. Total."""
    match expression:
        case Literal(value):
            return value
        case Ref(path):
            return look_up(path, scope)
        case Text(parts):
            pieces = [part if isinstance(part, str) else _written(look_up(part.path, scope)) for part in parts]
            return MISSING if None in pieces else "".join(piece for piece in pieces if piece is not None)
        case First(options):
            values = (evaluate_expression(option, scope) for option in options)
            return next((value for value in values if value is not None and value is not MISSING), MISSING)
        case Fields(fields):
            found = {name: evaluate_expression(part, scope) for name, part in fields.items()}
            return MISSING if any(value is MISSING for value in found.values()) else found
        case Items(items):
            listed = [evaluate_expression(item, scope) for item in items]
            return MISSING if any(value is MISSING for value in listed) else listed
        case Bad():
            return MISSING


def _written(value: Any) -> str | None:
    """A scalar as text: strings as they are, numbers and booleans as JSON writes them; None for anything else."""
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else None
