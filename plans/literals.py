"""What is written out in a value of the plan language: the texts and numbers that are not references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from plans.expressions import references
from plans.language import Step
from plans.loops import ITEM

_HOLE = re.compile(r"\{[^{}]*\}")


def listed(step: Step, name: str) -> Iterator[str | float]:
    """What is written out in the list whose items an argument takes."""
    if step.for_each is not None and any(ref.root == ITEM for ref in references(step.expressions[name])):
        yield from literals(step.for_each.items)


def literals(value: Any) -> Iterator[str | float]:
    """The texts and numbers in a value that are not references."""
    match value:
        case {"$ref": _}:
            return
        case {"$text": str(template)}:
            yield from (part for part in _HOLE.split(template) if part.strip(" .,;:-"))
        case {"$first": list(parts)}:
            for part in parts:
                yield from literals(part)
        case dict():
            for part in value.values():
                yield from literals(part)
        case list() | tuple():
            for part in value:
                yield from literals(part)
        case str() | int() | float() if not isinstance(value, bool):
            yield value
