"""Does every value of one JSON Schema fit another? Sound: where it cannot tell, the answer is no.

Each alternative of the source must fit an alternative of the target. A semantic type that the target names must be
the source's own. Formats and patterns must be equal, limits at least as tight, enums a subset, required properties
required, and a closed object takes no others. An integer is a number. Keywords that are not understood here
(``not``, ``if``, ``contains`` and the like) fit only where source and target are the same schema.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

from plans.schemas import NOTES, Same, Shape, alternatives, brief, is_null, listed, misfits
from tools.semantic import KEYWORD

_SCALAR = {"minLength", "maxLength", "pattern", "format", "minimum", "maximum"} | {
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "enum",
    "const",
}
_NESTED = {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"} | {
    "properties",
    "required",
    "additionalProperties",
}
_UNDERSTOOD = NOTES | {"type", KEYWORD, "discriminator", "readOnly", "writeOnly"} | _SCALAR | _NESTED


class Kind(StrEnum):
    """Why one type does not fit another."""

    TYPE = "type"
    SEMANTIC = "semantic"
    NULL = "null"


class Misfit(NamedTuple):
    """One reason, as the end of a sentence that begins with the source: "is text, but …"."""

    kind: Kind
    why: str


_Seen = frozenset[tuple[str, str]]


def fit(source: Shape, target: Shape) -> Misfit | None:
    """None when every value of ``source`` is one of ``target``; otherwise the best reason why not."""
    # By identity: the same few schemas are compared in every plan.
    return _known_fit(Same(source.node), Same(source.root), Same(target.node), Same(target.root))


@lru_cache(maxsize=4096)
def _known_fit(source: Same, source_root: Same, target: Same, target_root: Same) -> Misfit | None:
    return _fit(Shape(source.document, source_root.document), Shape(target.document, target_root.document), frozenset())


def fits_semantic(source: str, target: Sequence[Shape]) -> list[Shape]:
    """Those alternatives of a target that a value of the semantic type ``source`` may enter."""
    return [part for part in target if not part.semantic or part.semantic == source or is_null(part)]


def _fit(source: Shape, target: Shape, seen: _Seen) -> Misfit | None:
    """Recursive types are compared coinductively: a pair that is being compared already is taken to fit."""
    if _is_nested(source) or _is_nested(target):
        pair = (_text(source.node), _text(target.node))
        if pair in seen:
            return None
        seen = seen | {pair}
    wanted = alternatives(target)
    for given in alternatives(source):
        misfit = _fit_any(given, wanted, seen)
        if misfit is not None:
            return misfit
    return None


def _is_nested(shape: Shape) -> bool:
    return not shape.node.keys().isdisjoint({"$ref", "anyOf", "oneOf", "allOf", "items", "properties"})


def _text(node: Mapping[str, Any]) -> str:
    return json.dumps(node, sort_keys=True, default=str)


def _fit_any(given: Shape, wanted: Sequence[Shape], seen: _Seen) -> Misfit | None:
    reasons: list[Misfit] = []
    for part in wanted:
        misfit = _fit_one(given, part, seen)
        if misfit is None:
            return None
        reasons.append(misfit)
    if is_null(given):
        return Misfit(Kind.NULL, "may be null")
    closest = [reason for reason in reasons if reason.kind is Kind.SEMANTIC]
    typed = [r for r, part in zip(reasons, wanted, strict=True) if part.kinds == given.kinds]
    return (closest or typed or reasons or [Misfit(Kind.TYPE, "fits nothing")])[0]


def _fit_one(given: Shape, wanted: Shape, seen: _Seen) -> Misfit | None:
    values = _finite(given)
    if values is not None:
        return _finite_fit(values, given, wanted)
    strange = [key for key in wanted.node if key not in _UNDERSTOOD and not key.startswith("x-")]
    if strange and _text(given.node) != _text(wanted.node):
        return Misfit(Kind.TYPE, f"cannot be shown to satisfy {listed(strange)}")
    kind = _kind(given, wanted)
    if kind is not None:
        return kind
    if "enum" in wanted.node or "const" in wanted.node:
        allowed = wanted.node.get("enum", [wanted.node.get("const")])
        return Misfit(Kind.TYPE, f"may have values other than {listed(allowed)}")
    semantic = _semantic(given, wanted)
    if semantic is not None:
        return semantic
    inside = _INSIDE.get(given.kinds[0]) if given.kinds else None
    return inside(given, wanted, seen) if inside else None


def _finite_fit(values: Sequence[Any], given: Shape, wanted: Shape) -> Misfit | None:
    for value in values:
        problems = misfits(value, wanted)
        if problems:
            shown = f"may be {brief(value)}" if value is not None else "may be null"
            why = f"{shown}, and {problems[0].sentence}" if value is not None else shown
            return Misfit(Kind.NULL if value is None else Kind.TYPE, why)
    return _semantic(given, wanted)


def _finite(shape: Shape) -> Sequence[Any] | None:
    """The values of an enum or a constant that are of its type, or None."""
    if "const" in shape.node:
        return [shape.node["const"]]
    if "enum" in shape.node:
        return [v for v in shape.node["enum"] if not shape.kinds or not misfits(v, Shape({"type": shape.kinds[0]}, {}))]
    return [None] if is_null(shape) else None


def _semantic(given: Shape, wanted: Shape) -> Misfit | None:
    if not wanted.semantic or wanted.semantic == given.semantic:
        return None
    if is_null(given):
        return None
    own = f"is {_a(given.semantic)}" if given.semantic else f"is {_a(given.kinds[0] if given.kinds else 'value')}"
    return Misfit(Kind.SEMANTIC, f"{own}, but {_a(wanted.semantic)} is wanted")


def _a(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeio' else 'a'} {name}"


def _kind(given: Shape, wanted: Shape) -> Misfit | None:
    if not wanted.kinds:
        return None
    if not given.kinds:
        return Misfit(Kind.TYPE, f"may be anything, but {_a(wanted.kinds[0])} is wanted")
    if given.kinds == wanted.kinds or (given.kinds, wanted.kinds) == (("integer",), ("number",)):
        return None
    if is_null(given):
        return Misfit(Kind.NULL, "may be null")
    return Misfit(Kind.TYPE, f"is {_a(given.kinds[0])}, but {_a(wanted.kinds[0])} is wanted")


# Each limit with the test that the source's (first) must pass against the target's (second).
_LIMITS: Mapping[str, Callable[[Any, Any], bool]] = {
    "minLength": lambda own, limit: own >= limit,
    "maxLength": lambda own, limit: own <= limit,
    "minItems": lambda own, limit: own >= limit,
    "maxItems": lambda own, limit: own <= limit,
    "minimum": lambda own, limit: own >= limit,
    "maximum": lambda own, limit: own <= limit,
    "exclusiveMinimum": lambda own, limit: own >= limit,
    "exclusiveMaximum": lambda own, limit: own <= limit,
    "multipleOf": lambda own, limit: (own / limit).is_integer(),
    "pattern": lambda own, limit: bool(own == limit),
    "format": lambda own, limit: bool(own == limit),
    "uniqueItems": lambda own, limit: own or not limit,
}
_NO_LIMIT: Mapping[str, Any] = {"minLength": 0, "minItems": 0, "uniqueItems": False}


def _scalar(given: Shape, wanted: Shape, _seen: _Seen) -> Misfit | None:
    for name, holds in _LIMITS.items():
        if name not in wanted.node:
            continue
        own = _own_limit(given.node, name, wanted.node[name])
        if own is None or not holds(own, wanted.node[name]):
            return Misfit(Kind.TYPE, f"is not bound by {name} {wanted.node[name]}")
    return None


def _own_limit(node: Mapping[str, Any], name: str, limit: Any) -> Any:
    """The source's own limit of that name; a strict one also serves as a loose one, and a looser strict one may do."""
    if name in {"minimum", "maximum"}:
        strict = node.get("exclusive" + name.capitalize())
        return node.get(name, strict)
    if name == "exclusiveMinimum":
        low = node.get("minimum")
        return node.get(name, limit if low is not None and low > limit else None)
    if name == "exclusiveMaximum":
        high = node.get("maximum")
        return node.get(name, limit if high is not None and high < limit else None)
    return node.get(name, _NO_LIMIT.get(name))


def _array(given: Shape, wanted: Shape, seen: _Seen) -> Misfit | None:
    if "prefixItems" in wanted.node or "prefixItems" in given.node:
        same = _text(given.node) == _text(wanted.node) and given.root is wanted.root
        return None if same else Misfit(Kind.TYPE, "is a tuple that cannot be compared")
    limits = _scalar(given, wanted, seen)
    if limits is not None:
        return limits
    inner = wanted.node.get("items")
    if not isinstance(inner, dict) or not inner:
        return Misfit(Kind.TYPE, "has items, but none are allowed") if inner is False else None
    own = given.node.get("items")
    misfit = _fit(_node(own, given), Shape(inner, wanted.root), seen)
    return Misfit(misfit.kind, f"has an item that {misfit.why}") if misfit else None


def _node(schema: Any, shape: Shape) -> Shape:
    return Shape(schema if isinstance(schema, dict) else {}, shape.root)


def _object(given: Shape, wanted: Shape, seen: _Seen) -> Misfit | None:
    ours, theirs = given.node.get("properties", {}), wanted.node.get("properties", {})
    sure = set(given.node.get("required", ()))
    for name in wanted.node.get("required", ()):
        if name not in ours:
            return Misfit(Kind.TYPE, f"has no {name}")
        if name not in sure:
            return Misfit(Kind.NULL, f"may lack its {name}")
    rest, more = given.node.get("additionalProperties", True), wanted.node.get("additionalProperties", True)
    for name in ours:
        target = theirs.get(name, more)
        misfit = _property(Shape(ours[name], given.root), target, wanted, seen)
        if misfit is not None:
            return Misfit(misfit.kind, f"has a field {name} that {misfit.why}")
    if rest is False:
        return None
    for target in [*(theirs[name] for name in theirs if name not in ours), more]:
        misfit = _property(_node(rest, given), target, wanted, seen)
        if misfit is not None:
            return Misfit(misfit.kind, f"may have further fields, one of which {misfit.why}")
    return None


def _property(own: Shape, target: Any, wanted: Shape, seen: _Seen) -> Misfit | None:
    if target is False:
        return Misfit(Kind.TYPE, "is not taken")
    return _fit(own, Shape(target, wanted.root), seen) if isinstance(target, dict) and target else None


_INSIDE: Mapping[str, Callable[[Shape, Shape, _Seen], Misfit | None]] = {
    "string": _scalar,
    "integer": _scalar,
    "number": _scalar,
    "array": _array,
    "object": _object,
}
