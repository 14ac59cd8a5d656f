"""A step for each item of a list: what its items are, what it gives, and which keys tell items apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from governance.conditions import MISSING, look_up
from governance.conditions import references as condition_references
from plans.expressions import Expression, Fields, First, Items, Literal, Ref, Text, parse
from plans.implication import Known
from plans.language import Step
from plans.references import Scope, Typed, resolve_type
from plans.schemas import Shape

ITEM = "item"
LONGEST_KEY = 60


@dataclass(frozen=True)
class Loop:
    """A step's ``for_each``, parsed. ``narrows``: its ``when`` looks at the item, and is asked for each one."""

    items: Expression
    key: Expression
    most: int
    narrows: bool

    @property
    def written(self) -> Sequence[Any] | None:
        """The items, where the list is written out."""
        return self.items.value if isinstance(self.items, Literal) and isinstance(self.items.value, list) else None


def loop_of(step: Step) -> Loop | None:
    """The step's loop, or None where it runs once."""
    if step.for_each is None:
        return None
    each = step.for_each
    return Loop(parse(each.items), parse(each.key), each.max, looks_at_item(step.when))


def looks_at_item(when: Any) -> bool:
    """Whether a condition refers to the item, so that it has an answer only for each one."""
    return any(path.partition(".")[0] == ITEM for path in condition_references(when))


def collected(output: Shape, most: int) -> Shape:
    """The type of what a loop gives: ``items``, an output for each item that was not skipped, in order."""
    items = {"type": "array", "items": output.node, "maxItems": most}
    whole = {"type": "object", "additionalProperties": False, "properties": {"items": items}, "required": ["items"]}
    return Shape(whole, output.root)


def item_shape(items: Expression, scope: Scope, known: Known) -> Shape | None:
    """The type of an item, or None where nobody can know it (then the list itself has a finding)."""
    found = _shapes(items, scope, known)
    if found is None:
        return None
    distinct = list({json.dumps([shape.node, id(shape.root)], default=str): shape for shape in found}.values())
    if len(distinct) == 1:
        return distinct[0]
    roots = {id(shape.root): shape.root for shape in distinct if "$ref" in json.dumps(shape.node, default=str)}
    if len(roots) > 1:
        return None
    return Shape({"anyOf": [shape.node for shape in distinct]}, next(iter(roots.values()), {}))


def _shapes(items: Expression, scope: Scope, known: Known) -> list[Shape] | None:
    if isinstance(items, Literal) and isinstance(items.value, list):
        return [Shape(_inferred(value), {}) for value in items.value]
    if isinstance(items, First):
        parts = [_shapes(option, scope, known) for option in items.options]
        return None if None in parts else [shape for part in parts if part is not None for shape in part]
    if not isinstance(items, Ref):
        return None
    typed = resolve_type(items.path, scope, known)
    if not isinstance(typed, Typed) or any(shape.kinds != ("array",) for shape in typed.shapes):
        return None
    nodes = [(shape.node.get("items"), shape.root) for shape in typed.shapes]
    return [Shape(node if isinstance(node, dict) else {}, root) for node, root in nodes]


def _inferred(value: Any) -> Mapping[str, Any]:
    """The narrowest type of a written value."""
    if not isinstance(value, dict):
        return {"const": value}
    properties = {name: _inferred(part) for name, part in value.items()}
    return {"type": "object", "additionalProperties": False, "properties": properties, "required": list(value)}


def for_item(value: Expression, item: Any) -> Expression:
    """The expression with references to a known item replaced by what it has. Its texts are literals, never parsed."""
    match value:
        case Ref(path) if value.root == ITEM:
            found = look_up(path, {ITEM: item})
            return value if found is MISSING else Literal(found)
        case Text(parts):
            filled = (for_item(part, item) if isinstance(part, Ref) else part for part in parts)
            return Text(tuple(_piece(part) for part in filled))
        case First(options):
            return First(tuple(for_item(option, item) for option in options))
        case Fields(fields):
            return Fields({name: for_item(part, item) for name, part in fields.items()})
        case Items(items):
            return Items(tuple(for_item(part, item) for part in items))
    return value


def _piece(part: Any) -> str | Ref:
    if isinstance(part, Literal):
        return part.value if isinstance(part.value, str) else json.dumps(part.value)
    return part if isinstance(part, Ref) else str(part)


def key_text(value: Any) -> str | None:
    """A key as it stands in ids, or None where it is none: empty, too long, not legible, no text or whole number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_KEY:
        return None
    plain = value.isprintable() and value == value.strip() and not set(value) & set("[]")
    return value if plain else None
