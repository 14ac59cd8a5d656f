"""JSON Schemas as types: alternatives behind ``anyOf`` and ``$ref``, fields of objects, and whether a value fits."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from functools import lru_cache
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from tools.contract import ToolSpec
from tools.semantic import KEYWORD

NOTES = frozenset({"title", "description", "default", "examples", "deprecated", "$defs", "$schema", "$comment", "$id"})
_COMPOSED = frozenset({"$ref", "allOf", "anyOf", "oneOf"})
_HOPS = 32


class Shape(NamedTuple):
    """A schema and the document in which its ``$ref`` are looked up."""

    node: Mapping[str, Any]
    root: Mapping[str, Any]

    @property
    def semantic(self) -> str:
        """The semantic type that the schema names, or an empty string."""
        return str(self.node.get(KEYWORD, ""))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The JSON types that it allows; empty: it does not say."""
        kind = self.node.get("type", ())
        return (kind,) if isinstance(kind, str) else tuple(kind)


@dataclass(frozen=True)
class Same:
    """A key for caches that knows a document by identity: specs are frozen, and comparing them would cost more."""

    document: Any

    def __hash__(self) -> int:
        return id(self.document)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.document is self.document


@dataclass(frozen=True)
class Interface:
    """A tool's input and output, ready to be looked into. ``inputs`` has a shape for each argument."""

    spec: ToolSpec
    inputs: Mapping[str, Shape]
    required: frozenset[str]
    closed: bool
    output: Shape


def interface(spec: ToolSpec) -> Interface:
    """The interface of a tool, made once for each spec."""
    return _interface(Same(spec))


@lru_cache(maxsize=1024)
def _interface(key: Same) -> Interface:
    spec: ToolSpec = key.document
    inside = settle(Shape(spec.input, spec.input)).node
    properties = inside.get("properties", {})
    return Interface(
        spec=spec,
        inputs={name: Shape(node, spec.input) for name, node in properties.items() if isinstance(node, dict)},
        required=frozenset(inside.get("required", ())),
        closed=inside.get("additionalProperties") is False,
        output=Shape(spec.output, spec.output),
    )


def settle(shape: Shape) -> Shape:
    """The shape with its own ``$ref`` followed and a single ``allOf`` merged; siblings of a ``$ref`` win."""
    node = shape.node
    for _ in range(_HOPS):
        if "$ref" in node:
            target = _pointed(shape.root, str(node["$ref"]))
            node = {**target, **{key: value for key, value in node.items() if key != "$ref"}}
        elif len(node.get("allOf", ())) == 1 and isinstance(node["allOf"][0], dict):
            node = {**node["allOf"][0], **{key: value for key, value in node.items() if key != "allOf"}}
        else:
            return shape if node is shape.node else Shape(node, shape.root)
    return Shape({"not": {}}, shape.root)


def _pointed(root: Mapping[str, Any], pointer: str) -> Mapping[str, Any]:
    node: Any = root
    for part in pointer.removeprefix("#").split("/")[1:]:
        node = node.get(part.replace("~1", "/").replace("~0", "~")) if isinstance(node, Mapping) else None
    return node if isinstance(node, Mapping) else {"not": {}}


def alternatives(shape: Shape) -> list[Shape]:
    """The simple shapes that a shape is one of: no union among them. What stands beside a union holds for each part."""
    if isinstance(shape.node.get("type"), str) and _COMPOSED.isdisjoint(shape.node):
        return [shape]
    settled = settle(shape)
    node = settled.node
    union = node.get("anyOf") or node.get("oneOf")
    if union:
        beside = {k: v for k, v in node.items() if k not in {"anyOf", "oneOf"} and k not in NOTES}
        parts = (settle(Shape(part, settled.root)) for part in union if isinstance(part, dict))
        return [simple for part in parts for simple in alternatives(_beside(part, beside))]
    if len(settled.kinds) > 1:
        return [Shape({**node, "type": kind}, settled.root) for kind in settled.kinds]
    return [settled]


def _beside(part: Shape, beside: Mapping[str, Any]) -> Shape:
    if not beside or part.node.get("type") == "null":
        return part
    return Shape({**beside, **part.node}, part.root)


def is_null(shape: Shape) -> bool:
    """Whether a simple shape allows null and nothing else."""
    if "const" in shape.node:
        return shape.node["const"] is None
    return shape.node.get("type") == "null"


class Member(NamedTuple):
    """A field of an object: its shape, and whether the object may lack it."""

    shape: Shape
    optional: bool


def member(shape: Shape, name: str) -> Member | None:
    """The field of that name of a simple shape, or None if it declares none."""
    properties = shape.node.get("properties", {})
    if name in properties and isinstance(properties[name], dict):
        return Member(Shape(properties[name], shape.root), name not in shape.node.get("required", ()))
    more = shape.node.get("additionalProperties")
    return Member(Shape(more, shape.root), optional=True) if isinstance(more, dict) and more else None


def field_names(shape: Shape) -> list[str]:
    """The fields that a shape declares, in any of its alternatives."""
    return [name for simple in alternatives(shape) for name in simple.node.get("properties", ())]


class Problem(NamedTuple):
    """What is wrong with a value: where in it, a sentence, and a proposal or an empty string."""

    path: str
    sentence: str
    fix: str


_SIMPLE: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}
_PLAIN_KEYS = NOTES | {"type", KEYWORD}


def misfits(value: Any, shape: Shape) -> list[Problem]:
    """Why a value does not fit a shape (JSON Schema 2020-12, formats asserted); empty when it does."""
    kind = shape.node.get("type")
    if isinstance(kind, str) and kind in _SIMPLE and shape.node.keys() <= _PLAIN_KEYS:
        is_bool = isinstance(value, bool)
        if isinstance(value, _SIMPLE[kind]) and is_bool == (kind == "boolean"):
            return []
    errors = _validator(Same(shape.node), Same(shape.root)).iter_errors(value)
    return [_problem(error) for error in errors]


@lru_cache(maxsize=4096)
def _validator(node: Same, root: Same) -> Draft202012Validator:
    schema = dict(node.document)
    if "$defs" in root.document:
        schema["$defs"] = root.document["$defs"]
    return Draft202012Validator(schema, format_checker=formats())


@lru_cache(maxsize=1)
def formats() -> FormatChecker:
    """Formats that are asserted: jsonschema's own, and RFC 3339 dates with times, and times."""
    checker = FormatChecker(("date", "email", "ipv4", "ipv6", "uuid", "regex", "idn-email"))
    checker.checks("date-time", ValueError)(_is_date_time)
    checker.checks("time", ValueError)(_is_time)
    return checker


def _is_date_time(value: object) -> bool:
    if not isinstance(value, str):
        return True
    return "T" in value.upper() and datetime.fromisoformat(value).tzinfo is not None


def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(time.fromisoformat(value) or True)


def _problem(error: ValidationError) -> Problem:
    path = ".".join(str(part) for part in error.absolute_path)
    shown, rule = brief(error.instance), error.validator_value
    match str(error.validator):
        case "enum" if isinstance(rule, list):
            return Problem(path, f"{shown} is not one of {listed(rule)}", nearest(error.instance, rule))
        case "type":
            wanted = rule if isinstance(rule, str) else " or ".join(str(kind) for kind in _as_list(rule))
            return Problem(path, f"{shown} is not of type {wanted}", "")
        case "format":
            return Problem(path, f"{shown} is not a valid {rule}", _format_example(str(rule)))
        case "anyOf" | "oneOf":
            whys = {_problem(inner).sentence for inner in error.context or ()}
            return Problem(path, "; ".join(sorted(whys)) or f"{shown} fits none of the alternatives", "")
        case _:
            return Problem(path, brief(error.message, 200, quote=False), "")


def _as_list(rule: object) -> list[object]:
    return rule if isinstance(rule, list) else [rule]


def _format_example(name: str) -> str:
    examples = {"date": "2027-01-31", "date-time": "2027-01-31T09:00:00Z", "email": "ada@acme.example", "time": "09:00"}
    return f"write it like {examples[name]}" if name in examples else ""


def brief(value: Any, most: int = 60, *, quote: bool = True) -> str:
    """A value as a sentence shows it: short."""
    text = repr(value) if quote else str(value)
    return text if len(text) <= most else text[: most - 1] + "…"


def listed(values: Sequence[Any]) -> str:
    """Values as a sentence lists them: the first twelve."""
    return ", ".join(str(value) for value in values[:12]) + (", …" if len(values) > 12 else "")


def nearest(word: Any, words: Sequence[Any]) -> str:
    """A proposal of the nearest of ``words``, or an empty string."""
    found = close(word, words)
    return f"did you mean {found}?" if found else ""


def close(word: Any, words: Sequence[Any]) -> str:
    """The nearest of ``words``, or an empty string. Total; case does not matter."""
    if not isinstance(word, str):
        return ""
    by_lower = {each.lower(): each for each in words if isinstance(each, str)}
    found = difflib.get_close_matches(word.lower()[:200], list(by_lower), 1)
    return by_lower[found[0]] if found else ""


def walk_fields(shape: Shape) -> Iterator[tuple[str, Member]]:
    """The declared top-level fields of a shape, by name, in each of its object alternatives."""
    for simple in alternatives(shape):
        for name in simple.node.get("properties", ()):
            found = member(simple, name)
            if found is not None:
                yield name, found
