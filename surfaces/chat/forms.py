"""A form for a tool's arguments, made from its input schema; and the typed arguments that come back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from governance.errors import InvalidInput
from governance.findings import Finding

_PLAIN = {"integer": "integer", "number": "number", "boolean": "choice"}
_FORMATS = {"date": "date", "email": "email"}
_LONG = 80


def form_of(schema: Mapping[str, Any], args: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The fields of a form, filled with ``args``: name, label, kind, value as text, choices, help, required."""
    required = schema.get("required", ())
    return [
        _field(name, _narrowed(schema, field), args.get(name), required=name in required)
        for name, field in schema.get("properties", {}).items()
    ]


def args_from(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments in a filled form; what is empty and not required is left out.

    Raises:
        InvalidInput: with a finding for every field that cannot be read. Whether it fits is the checker's to say.

    """
    args: dict[str, Any] = {}
    findings: list[Finding] = []
    for name, field in schema.get("properties", {}).items():
        text = str(values.get(name, "")).strip()
        if not text:
            if name in schema.get("required", ()):
                findings.append(Finding(code="edit-missing", place=name, sentence="this is needed"))
            continue
        try:
            args[name] = _read(_kind(_narrowed(schema, field)), text)
        except ValueError:
            findings.append(Finding(code="edit-form", place=name, sentence=f"{text[:40]!r} cannot be read here"))
    if findings:
        raise InvalidInput("Some fields cannot be used.", findings=findings)
    return args


def _field(name: str, field: Mapping[str, Any], value: Any, *, required: bool) -> dict[str, Any]:
    kind = _kind(field)
    choices = ["true", "false"] if field.get("type") == "boolean" else [str(choice) for choice in field.get("enum", ())]
    text = _text(value)
    return {
        "name": name,
        "label": label(name),
        "kind": "text" if kind == "line" and len(text) > _LONG else kind,
        "value": text,
        "choices": choices,
        "help": field.get("description", ""),
        "required": required,
    }


def label(name: str) -> str:
    """A field's name as people read it."""
    return name.replace("_", " ").capitalize()


def _narrowed(schema: Mapping[str, Any], field: Mapping[str, Any]) -> Mapping[str, Any]:
    """A field without its null and without its detour over ``$defs``; the description stays."""
    if "$ref" in field:
        found = schema.get("$defs", {}).get(str(field["$ref"]).rpartition("/")[2], {})
        return {**found, **{key: value for key, value in field.items() if key != "$ref"}}
    ways = [way for way in field.get("anyOf", ()) if way.get("type") != "null"]
    if len(ways) == 1:
        return {**_narrowed(schema, ways[0]), **{key: value for key, value in field.items() if key != "anyOf"}}
    return field


def _kind(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return "choice"
    if field.get("type") == "string":
        return _FORMATS.get(field.get("format", ""), "line")
    return _PLAIN.get(str(field.get("type")), "json")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _read(kind: str, text: str) -> Any:
    match kind:
        case "integer":
            return int(text)
        case "number":
            return float(text)
        case "json":
            return json.loads(text)
        case "choice" if text in {"true", "false"}:
            return text == "true"
    return text
