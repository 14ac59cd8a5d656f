"""Inputs, outputs and request fields as the planner sees them: a name, a semantic type, a shape."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.semantic import KEYWORD


@dataclass(frozen=True)
class Slot:
    """A named place for a value. ``many``: a list of such values. ``kind`` is a JSON Schema type, or empty if open."""

    name: str
    kind: str
    semantic: str = ""
    format: str = ""
    choices: frozenset[Any] = frozenset()
    required: bool = False
    nullable: bool = False
    many: bool = False

    def takes(self, source: Slot) -> bool:
        """Whether a value from ``source`` surely has the right shape and meaning for this place."""
        if self.semantic and self.semantic != source.semantic:
            return False
        if self.kind and source.kind and self.kind != source.kind and (source.kind, self.kind) != ("integer", "number"):
            return False
        if self.format and self.format != source.format:
            return False
        if self.choices and not (source.choices and source.choices <= self.choices):
            return False
        return not source.many and not (source.nullable and not self.nullable)


def slots(schema: Mapping[str, Any]) -> tuple[Slot, ...]:
    """The properties of an object's schema, in its order. Definitions behind ``$ref`` are followed."""
    required = set(schema.get("required", ()))
    definitions = schema.get("$defs", {})
    properties = schema.get("properties", {})
    return tuple(_slot(name, inner, name in required, definitions) for name, inner in properties.items())


def _slot(name: str, schema: Any, required: bool, definitions: Mapping[str, Any]) -> Slot:
    whole, nullable = _plain(schema, definitions)
    many = whole.get("type") == "array" and isinstance(whole.get("items"), Mapping)
    one = _plain(whole["items"], definitions)[0] if many else whole
    choices = one.get("enum", [one["const"]] if "const" in one else ())
    kind = one.get("type", "")
    return Slot(
        name=name,
        kind=kind if isinstance(kind, str) else "",
        semantic=str(one.get(KEYWORD) or whole.get(KEYWORD) or ""),
        format=str(one.get("format", "")),
        choices=frozenset(choice for choice in choices if isinstance(choice, str | int | float | bool)),
        required=required,
        nullable=nullable,
        many=many,
    )


def _plain(schema: Any, definitions: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """The schema without ``$ref`` and without its null alternative; and whether null is allowed."""
    outer = schema if isinstance(schema, Mapping) else {}
    for _ in range(20):  # definitions may refer to each other; a loop among them ends here
        if "$ref" not in outer:
            break
        inner = definitions.get(str(outer["$ref"]).rpartition("/")[2], {})
        outer = {**inner, **{key: value for key, value in outer.items() if key != "$ref"}}
    options = [option for option in outer.get("anyOf", ()) if isinstance(option, Mapping)]
    rest = [option for option in options if option.get("type") != "null"]
    if len(rest) == 1:
        inner, nullable = _plain(rest[0], definitions)
        kept = {key: value for key, value in outer.items() if key != "anyOf"}
        return {**kept, **inner}, nullable or len(rest) < len(options)
    kinds = outer.get("type")
    if isinstance(kinds, list) and "null" in kinds:
        left = [kind for kind in kinds if kind != "null"]
        return {**outer, "type": left[0] if len(left) == 1 else ""}, True
    return outer, False
