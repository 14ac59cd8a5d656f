"""Values of the plan language, parsed: literals, ``$ref``, ``$text`` and ``$first``, at any depth.

Parsing is total: what is not well formed becomes a :class:`Bad` in its place, so that all of it can be named at once.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]*"
PATH = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_HOLE = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
FORMS = ("$ref", "$text", "$first")


@dataclass(frozen=True, slots=True)
class Literal:
    """A JSON value without expressions in it."""

    value: Any


@dataclass(frozen=True, slots=True)
class Ref:
    """The value at a path: ``request.email``, ``account.user_id``."""

    path: str

    @property
    def root(self) -> str:
        """The first word: ``request`` or a step's id."""
        return self.path.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Text:
    """A template: literal pieces and references, in order."""

    parts: tuple[str | Ref, ...]


@dataclass(frozen=True, slots=True)
class First:
    """The first of several values that is there and not null."""

    options: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Fields:
    """An object with expressions somewhere in it."""

    fields: Mapping[str, Expression]


@dataclass(frozen=True, slots=True)
class Items:
    """A list with expressions somewhere in it."""

    items: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Bad:
    """Not well formed, and why."""

    sentence: str
    fix: str = ""


Expression = Literal | Ref | Text | First | Fields | Items | Bad


def parse(value: Any) -> Expression:
    """The expression that a JSON value is."""
    if isinstance(value, dict):
        forms = [key for key in value if isinstance(key, str) and key.startswith("$")]
        return _form(value, forms) if forms else _fields(value)
    if isinstance(value, list | tuple):
        items = tuple(parse(item) for item in value)
        return Literal(value) if all(isinstance(item, Literal) for item in items) else Items(items)
    return Literal(value)


def references(expression: Expression) -> Iterator[Ref]:
    """All references in an expression, in order of appearance."""
    if isinstance(expression, Ref):
        yield expression
    elif isinstance(expression, Text):
        yield from (part for part in expression.parts if isinstance(part, Ref))
    elif isinstance(expression, First | Items | Fields):
        for part in _parts(expression):
            yield from references(part)


def _parts(expression: First | Items | Fields) -> tuple[Expression, ...]:
    if isinstance(expression, First):
        return expression.options
    return expression.items if isinstance(expression, Items) else tuple(expression.fields.values())


def _fields(value: dict[str, Any]) -> Expression:
    fields = {key: parse(part) for key, part in value.items()}
    return Literal(value) if all(isinstance(part, Literal) for part in fields.values()) else Fields(fields)


def _form(value: dict[str, Any], forms: list[str]) -> Expression:
    name = forms[0]
    if name not in FORMS:
        near = difflib.get_close_matches(name, FORMS, 1)
        return Bad(f"there is no expression {name}; there are {', '.join(FORMS)}", f"write {near[0]}" if near else "")
    if len(value) > 1:
        others = ", ".join(sorted(str(key) for key in value if key != name))
        return Bad(f"an expression has one key; beside {name} stands {others}", f"keep only {name}")
    return {"$ref": _ref, "$text": _text, "$first": _first}[name](value[name])


def _ref(body: Any) -> Expression:
    if isinstance(body, str) and PATH.fullmatch(body):
        return Ref(body)
    return Bad("$ref takes a path of names joined by dots", 'write {"$ref": "request.field"} or {"$ref": "step.field"}')


def _text(body: Any) -> Expression:
    if not isinstance(body, str):
        return Bad("$text takes a template", 'write {"$text": "Hello {request.name}"}')
    parts: list[str | Ref] = []
    end = 0
    for hole in _HOLE.finditer(body):
        parts.append(body[end : hole.start()])
        end = hole.end()
        if hole[0] in {"{{", "}}"}:
            parts.append(hole[0][0])
        elif hole[1] is not None and PATH.fullmatch(hole[1]):
            parts.append(Ref(hole[1]))
        else:
            return Bad(
                f"the template has {hole[0]!r}, which is no reference in braces", "write {{ and }} for plain braces"
            )
    parts.append(body[end:])
    return Text(tuple(part for part in parts if part != ""))


def _first(body: Any) -> Expression:
    if not isinstance(body, list | tuple) or not body:
        return Bad("$first takes a list of at least one value", 'write {"$first": [{"$ref": "a.b"}, "fallback"]}')
    return First(tuple(parse(option) for option in body))
