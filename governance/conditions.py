"""The closed grammar of conditions, for ``when`` in plans, goals and policies: lookups and comparisons, nothing else.

    {"$eq": [a, b]}  $ne $lt $le $gt $ge     two operands
    {"$in": [a, [..]]}                        membership; {"$has": [list, a]} the other way round
    {"$all": [c, ...]}  {"$any": [c, ...]}  {"$not": c}
    {"$exists": {"$ref": path}}

An operand is a JSON literal or ``{"$ref": "path.to.value"}``. A path that is not there makes the answer UNKNOWN
(Kleene's three values), not false: who asks decides what not knowing means.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

MISSING = object()


class Truth(Enum):
    """Kleene's three values."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


_NOT = {Truth.YES: Truth.NO, Truth.NO: Truth.YES, Truth.UNKNOWN: Truth.UNKNOWN}
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "$eq": operator.eq,
    "$ne": operator.ne,
    "$lt": operator.lt,
    "$le": operator.le,
    "$gt": operator.gt,
    "$ge": operator.ge,
    "$in": lambda item, many: item in many,
    "$has": lambda many, item: item in many,
}
OPERATORS = frozenset(_COMPARE) | {"$all", "$any", "$not", "$exists"}


def look_up(path: str, scope: Mapping[str, Any]) -> Any:
    """The value at a dotted path of mappings, or :data:`MISSING`. No attribute access, no indexing."""
    value: Any = scope
    for part in path.split("."):
        # By the type first: an abstract one is looked for by code that is not compiled, and this is called all the time.
        if (type(value) is dict or isinstance(value, Mapping)) and part in value:
            value = value[part]
        else:
            return MISSING
    return value


def references(condition: Any) -> list[str]:
    """All ``$ref`` paths in a condition, in order of appearance. Total: anything may be given."""
    if isinstance(condition, Mapping):
        if _is_ref(condition):
            return [condition["$ref"]]
        return [path for part in condition.values() for path in references(part)]
    if isinstance(condition, list | tuple):
        return [path for part in condition for path in references(part)]
    return []


def problems(condition: Any) -> list[str]:
    """What is wrong with a condition's form, as sentences; empty when it is well formed."""
    if not isinstance(condition, Mapping) or len(condition) != 1:
        return [f"a condition is an object with one operator, one of {', '.join(sorted(OPERATORS))}"]
    ((name, body),) = condition.items()
    if name not in OPERATORS:
        return [f"unknown operator {name!r}; there are {', '.join(sorted(OPERATORS))}"]
    if name == "$not":
        return problems(body)
    if name in {"$all", "$any"}:
        if not isinstance(body, list) or not body:
            return [f"{name} takes a list of at least one condition"]
        return [sentence for part in body for sentence in problems(part)]
    if name == "$exists":
        return [] if _is_ref(body) else ['$exists takes {"$ref": path}']
    if not isinstance(body, list) or len(body) != 2:
        return [f"{name} takes a list of two operands"]
    return []


def evaluate(condition: Mapping[str, Any], scope: Mapping[str, Any]) -> Truth:
    """The condition's value in ``scope``.

    Values of kinds that cannot be ordered make a comparison UNKNOWN. Give only conditions without :func:`problems`.
    """
    return compiled(condition)(scope)


Asked = Callable[[Mapping[str, Any]], Truth]


def compiled(condition: Mapping[str, Any]) -> Asked:
    """The condition as a function of the scope, for whoever asks it again and again."""
    ((name, body),) = condition.items()
    if name == "$not":
        inner = compiled(body)
        return lambda scope: _NOT[inner(scope)]
    if name in {"$all", "$any"}:
        parts = [compiled(part) for part in body]
        return lambda scope: _combine(name, [part(scope) for part in parts])
    if name == "$exists":
        path = body["$ref"]
        return lambda scope: Truth.YES if look_up(path, scope) not in (MISSING, None) else Truth.NO
    compare, left, right = _COMPARE[name], _operand(body[0]), _operand(body[1])
    return lambda scope: _compared(compare, left(scope), right(scope))


def _compared(compare: Callable[[Any, Any], bool], left: Any, right: Any) -> Truth:
    if left is MISSING or right is MISSING:
        return Truth.UNKNOWN
    try:
        return Truth.YES if compare(left, right) else Truth.NO
    except TypeError:
        return Truth.UNKNOWN


def _combine(name: str, parts: list[Truth]) -> Truth:
    decisive = Truth.NO if name == "$all" else Truth.YES
    if decisive in parts:
        return decisive
    if Truth.UNKNOWN in parts:
        return Truth.UNKNOWN
    return Truth.YES if name == "$all" else Truth.NO


def _is_ref(value: Any) -> bool:
    if type(value) is not dict and not isinstance(value, Mapping):
        return False
    return len(value) == 1 and isinstance(value.get("$ref"), str)


def _operand(value: Any) -> Callable[[Mapping[str, Any]], Any]:
    if not _is_ref(value):
        return lambda _scope: value
    path: str = value["$ref"]
    if "." in path:
        return lambda scope: look_up(path, scope)
    return lambda scope: scope.get(path, MISSING)
