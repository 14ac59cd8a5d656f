"""Expressions of a playbook over its request: derived fields and titles.

    {"$ref": "request.first_name"}                              the field's value
    {"$text": "{request.first_name|lower|ascii}@acme.example"}  text; filters are lower, ascii and slug
    {"$map": [{"$ref": "request.department"}, {"IT": "it"}]}    a value looked up in a table

A field that is not there, or a value that the table lacks, makes the whole expression :data:`MISSING`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from governance.conditions import MISSING, look_up

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_WITHOUT_DECOMPOSITION = str.maketrans(
    {"ß": "ss", "æ": "ae", "Æ": "Ae", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "þ": "th"}
)


def ascii_text(text: str) -> str:
    """The nearest ASCII text: accents are dropped, what has no near letter is left out."""
    spread = unicodedata.normalize("NFKD", text.translate(_WITHOUT_DECOMPOSITION))
    return spread.encode("ascii", "ignore").decode()


def slug(text: str) -> str:
    """Lower-case ASCII letters and digits, with single hyphens between words: fit for addresses."""
    return re.sub(r"[^a-z0-9]+", "-", ascii_text(text).lower()).strip("-")


FILTERS: Mapping[str, Callable[[str], str]] = {"lower": str.lower, "ascii": ascii_text, "slug": slug}


def evaluate(expression: Any, request: Mapping[str, Any]) -> Any:
    """The expression's value for a request, or :data:`MISSING`. Literals are themselves.

    Give only expressions without :func:`problems`.
    """
    scope = {"request": request}
    match expression:
        case {"$ref": str(path)}:
            return look_up(path, scope)
        case {"$text": str(template)}:
            return _text(template, scope)
        case {"$map": [source, dict(table)]}:
            key = evaluate(source, request)
            return table.get(key, MISSING) if isinstance(key, str) else MISSING
    return expression


def render(template: str, request: Mapping[str, Any]) -> str:
    """A title for people: what is not there shows as an ellipsis."""
    scope = {"request": request}
    return _PLACEHOLDER.sub(lambda hole: _filled(hole[1], scope) or "…", template)


def problems(expression: Any, fields: Mapping[str, Any]) -> list[str]:
    """What is wrong with an expression over a request with these fields, as sentences."""
    match expression:
        case {"$ref": str(path)}:
            return _path_problems(path, fields)
        case {"$text": str(template)}:
            return [sentence for hole in _PLACEHOLDER.findall(template) for sentence in _hole_problems(hole, fields)]
        case {"$map": [{"$ref": str()} as source, dict()]}:
            return problems(source, fields)
        case {"$map": _}:
            return ['$map takes [{"$ref": "request.<field>"}, {value: result, …}]']
        case dict() if any(str(key).startswith("$") for key in expression):
            return [f"there is no {', '.join(map(str, expression))} here; there are $ref, $text and $map"]
    return []


def _text(template: str, scope: Mapping[str, Any]) -> Any:
    pieces = [_filled(hole, scope) for hole in _PLACEHOLDER.findall(template)]
    if not all(pieces):
        return MISSING
    values = iter(piece or "" for piece in pieces)
    return _PLACEHOLDER.sub(lambda _: next(values), template)


def _filled(hole: str, scope: Mapping[str, Any]) -> str | None:
    """The text for a placeholder; None when there is no value, or nothing is left of it."""
    path, *filters = (part.strip() for part in hole.split("|"))
    value = look_up(path, scope)
    if value is MISSING or value is None or isinstance(value, dict | list):
        return None
    text = str(value)
    for name in filters:
        text = FILTERS[name](text) if name in FILTERS else text
    return text or None


def _hole_problems(hole: str, fields: Mapping[str, Any]) -> list[str]:
    path, *filters = (part.strip() for part in hole.split("|"))
    unknown = [name for name in filters if name not in FILTERS]
    return _path_problems(path, fields) + [
        f"there is no filter {name}; there are {', '.join(FILTERS)}" for name in unknown
    ]


def _path_problems(path: str, fields: Mapping[str, Any]) -> list[str]:
    root, _, rest = path.partition(".")
    field = rest.partition(".")[0]
    if root != "request" or not field:
        return [f"{path!r} does not name a field of the request (request.<field>)"]
    return [] if field in fields else [f"the request has no field {field}"]
