"""When does one condition follow from others? Sound, not complete: a "no" may mean "cannot tell".

Used for ``when``: a step may refer to one that may be skipped only if its own condition implies the other's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from governance.conditions import Truth, evaluate, references

Condition = Mapping[str, Any]
Known = tuple[Condition, ...]

_OPPOSITE = {"$eq": "$ne", "$ne": "$eq", "$lt": "$ge", "$ge": "$lt", "$gt": "$le", "$le": "$gt"}
_MIRROR = {"$eq": "$eq", "$ne": "$ne", "$lt": "$gt", "$gt": "$lt", "$le": "$ge", "$ge": "$le"}
_MOST_SPLITS = 3


def conjuncts(condition: Condition | None) -> Known:
    """The conditions that all hold when ``condition`` does, in normal form. None: nothing is known."""
    if condition is None:
        return ()
    normal = _normal(condition)
    return tuple(normal["$all"]) if "$all" in normal else (normal,)


def negated(condition: Condition) -> Known:
    """What holds when ``condition`` does not."""
    return conjuncts({"$not": condition})


def exists(path: str) -> Condition:
    """The condition that there is a value, and not null, at a path."""
    return {"$exists": {"$ref": path}}


def implies(known: Known, wanted: Condition | None, splits: int = _MOST_SPLITS) -> bool:
    """Whether ``wanted`` holds wherever everything in ``known`` does. Give well-formed conditions only."""
    if wanted is None:
        return True
    return _implies(known, _normal(wanted), splits)


def _implies(known: Known, wanted: Condition, splits: int) -> bool:
    if "$all" in wanted:
        return all(_implies(known, part, splits) for part in wanted["$all"])
    if "$any" in wanted and any(_implies(known, part, splits) for part in wanted["$any"]):
        return True
    if any(_text(each) == _text(wanted) for each in known) or _by_value(known, wanted):
        return True
    if splits == 0:
        return False
    for split in (each for each in known if "$any" in each):
        rest = tuple(each for each in known if each is not split)
        if all(_implies(rest + conjuncts(part), wanted, splits - 1) for part in split["$any"]):
            return True
    return False


def _by_value(known: Known, wanted: Condition) -> bool:
    """Whether a value that is pinned to a few literals makes ``wanted`` true for each of them."""
    if "$exists" in wanted:
        path = wanted["$exists"]["$ref"]
        return any(_shows(each, path) for each in known)
    for each in known:
        pinned = _pinned(each)
        if pinned is None:
            continue
        path, values = pinned
        if any(other != path for other in references(wanted)):
            continue
        if values and all(evaluate(wanted, _nest(path, value)) is Truth.YES for value in values):
            return True
    return False


def _shows(condition: Condition, path: str) -> bool:
    """Whether a condition that holds shows that a value is there: it exists, or it is pinned to what is not null."""
    if "$exists" in condition:
        return bool((condition["$exists"]["$ref"] + ".").startswith(path + "."))
    pinned = _pinned(condition)
    if pinned is None:
        return False
    if pinned[0].startswith(path + "."):
        return True
    return pinned[0] == path and bool(pinned[1]) and None not in pinned[1]


def _pinned(condition: Condition) -> tuple[str, Sequence[Any]] | None:
    ((name, body),) = condition.items()
    if name == "$eq" and is_ref(body[0]) and not is_ref(body[1]):
        return body[0]["$ref"], [body[1]]
    if name == "$in" and is_ref(body[0]) and isinstance(body[1], list):
        return body[0]["$ref"], body[1]
    return None


def _nest(path: str, value: Any) -> dict[str, Any]:
    for part in reversed(path.split(".")):
        value = {part: value}
    return dict(value)


def is_ref(value: Any) -> bool:
    """Whether an operand is a reference."""
    return isinstance(value, dict) and len(value) == 1 and isinstance(value.get("$ref"), str)


def _normal(condition: Condition, *, negative: bool = False) -> Condition:
    """Negations pushed inwards, conjunctions flat, comparisons with the reference on the left."""
    ((name, body),) = condition.items()
    if name == "$not":
        return _normal(body, negative=not negative)
    if name in {"$all", "$any"}:
        kind = {"$all": "$any", "$any": "$all"}[name] if negative else name
        parts: list[Condition] = []
        for part in body:
            normal = _normal(part, negative=negative)
            parts.extend(normal.get(kind, [normal]))
        return parts[0] if len(parts) == 1 else {kind: parts}
    atom = {"$in": [body[1], body[0]]} if name == "$has" else _ordered(name, body)
    if not negative:
        return atom
    ((name, body),) = atom.items()
    return {_OPPOSITE[name]: body} if name in _OPPOSITE else {"$not": atom}


def _ordered(name: str, body: Any) -> Condition:
    if name not in _MIRROR:
        return {name: body}
    left, right = body
    swap = is_ref(right) and (not is_ref(left) or right["$ref"] < left["$ref"])
    return {_MIRROR[name]: [right, left]} if swap else {name: [left, right]}


def _text(condition: Condition) -> str:
    return json.dumps(condition, sort_keys=True, default=str)


def settled(condition: Condition | None, request: Mapping[str, Any]) -> Truth:
    """What a condition comes to from the request alone; UNKNOWN where it needs more. None is YES."""
    return Truth.YES if condition is None else evaluate(_open_about_steps(condition), {"request": request})


def _open_about_steps(condition: Any) -> Any:
    """The condition with ``$exists`` of what a step is yet to answer as a comparison, which then has no answer."""
    if isinstance(condition, Mapping):
        body = condition.get("$exists")
        if isinstance(body, Mapping) and not str(body.get("$ref")).startswith("request."):
            return {"$ne": [body, None]}
        return {name: _open_about_steps(part) for name, part in condition.items()}
    return [_open_about_steps(part) for part in condition] if isinstance(condition, list | tuple) else condition
