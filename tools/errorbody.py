"""What a system says in the body of an error: every system has its own shape, people need one sentence.

Reads the shapes in common use (problem+json of RFC 9457, SCIM errors of RFC 7644, ``{"error": {…}}``, ``{"errors": […]}``,
maps of field to sentence). Total on any JSON: what cannot be read gives an empty word, never an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_MOST = 400
_INSIDE = ("error", "fault", "errors")
_SENTENCES = (
    "detail",
    "message",
    "errorMessage",
    "error_text",
    "text",
    "error_description",
    "error",
    "title",
    "description",
)
_CODES = ("code", "errorCode", "error_code", "scimType", "reason", "error", "title", "type")
_PROBLEMS = (
    "errors",
    "fields",
    "fieldErrors",
    "field_errors",
    "invalid_params",
    "invalid-params",
    "violations",
    "details",
    "detail",
    "reasons",
)
_FIELDS = ("field", "path", "attribute", "name", "loc", "pointer")
_ISSUES = ("issue", "detail", "problem", "message", "text", "reason", "msg", "description")


@dataclass(frozen=True)
class Complaint:
    """A system's own words: its code, its sentence, and its problems by field, any of them empty."""

    code: str = ""
    sentence: str = ""
    problems: tuple[str, ...] = ()


def complaint(body: Any) -> Complaint:
    """What ``body``, the parsed JSON of an error answer, complains of."""
    layers = tuple(_layers(body))
    problems = tuple(dict.fromkeys(problem for layer in layers for problem in _problems(layer)))
    return Complaint(_word(layers, _CODES), _word(layers, _SENTENCES), problems[:20])


def _layers(body: Any) -> Iterator[Mapping[str, Any]]:
    """The body, then what it wraps in an envelope, one deep; a list stands for its first element."""
    if not isinstance(body, dict):
        return
    yield body
    for name in _INSIDE:
        inner = body.get(name)
        if isinstance(inner, list) and inner:
            inner = inner[0]
        if isinstance(inner, dict):
            yield inner


def _word(layers: tuple[Mapping[str, Any], ...], names: tuple[str, ...]) -> str:
    """The first of ``names`` that has a sentence, the outermost layer first."""
    for layer in layers:
        for name in names:
            if isinstance(layer.get(name), str) and layer[name]:
                return _short(layer[name])
    return ""


def _problems(layer: Mapping[str, Any]) -> Iterator[str]:
    for name in _PROBLEMS:
        value = layer.get(name)
        if isinstance(value, dict):
            yield from (f"{_short(field)}: {_short(text)}" for field, text in value.items() if isinstance(text, str))
        elif isinstance(value, list):
            yield from filter(None, map(_problem, value))


def _problem(entry: Any) -> str:
    if isinstance(entry, str):
        return _short(entry)
    if not isinstance(entry, dict):
        return ""
    field = next((entry[name] for name in _FIELDS if entry.get(name)), "")
    issue = next((entry[name] for name in _ISSUES if isinstance(entry.get(name), str)), "")
    where = ".".join(map(str, field)) if isinstance(field, list) else str(field)
    return f"{_short(where)}: {_short(issue)}" if where and issue else ""


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _MOST else text[: _MOST - 1] + "…"
