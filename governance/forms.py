"""Forms: a few questions to a person, as a JSON Schema of a flat object, and whether answers fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, ValidationError

from governance.errors import InvalidInput
from governance.findings import Finding

_PLAIN = frozenset({"string", "integer", "number", "boolean"})
MOST_FIELDS = 50


def schema_problem(schema: Any) -> str:
    """What keeps a value from being a form's schema, as the end of a sentence; empty when it is one."""
    if not isinstance(schema, Mapping) or schema.get("type") != "object":
        return "is no JSON Schema of an object"
    fields = schema.get("properties")
    if not isinstance(fields, Mapping) or not 0 < len(fields) <= MOST_FIELDS:
        return f"has no properties, or more than {MOST_FIELDS}"
    for name, field in fields.items():
        if not isinstance(field, Mapping) or not (field.get("type") in _PLAIN or "enum" in field):
            return f"asks for {name}, which is no text, number, yes or no, or choice of them"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        return f"is no JSON Schema: {error.message}"
    return ""


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema, which takes no field that it does not name."""
    return {"additionalProperties": False, **schema}


def answer_findings(schema: Mapping[str, Any], answers: Mapping[str, Any]) -> list[Finding]:
    """Everything that keeps answers from fitting, by field."""
    validator = Draft202012Validator(closed(schema), format_checker=FormatChecker())
    return [_finding(error) for error in sorted(validator.iter_errors(dict(answers)), key=lambda e: str(e.json_path))]


def require_filled_in(schema: Mapping[str, Any], answers: Mapping[str, Any] | None) -> None:
    """Raises InvalidInput that names every field that does not fit."""
    findings = answer_findings(schema, answers or {})
    if findings:
        raise InvalidInput("The form is not filled in as it should be.", findings=findings)


def _finding(error: ValidationError) -> Finding:
    place = ".".join(map(str, error.absolute_path)) or "the form"
    return Finding(code="form-field", place=place, sentence=error.message)
