"""What is wrong with a request, in sentences for the person who gave it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jsonschema import ValidationError

from governance.findings import Finding

_FORMATS = {"date": "a date such as 2027-01-31", "email": "an e-mail address such as ada.lovelace@acme.example"}
_KINDS = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}


def findings_of(errors: Iterable[ValidationError], added: Mapping[str, str]) -> tuple[Finding, ...]:
    """One finding for each problem, ordered by place. ``added`` are fields that the playbook filled in itself."""
    findings: list[Finding] = []
    for error in errors:
        if error.validator == "additionalProperties":
            findings.extend(_unknown(error))
        elif error.validator == "required":
            findings.extend(_missing(error))
        else:
            findings.append(_wrong(error, added))
    unique = {(finding.place, finding.code): finding for finding in findings}
    return tuple(sorted(unique.values(), key=lambda finding: finding.place))


def _unknown(error: ValidationError) -> Iterable[Finding]:
    known = _properties(error)
    for name in _given(error):
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            yield Finding(
                code="request-unknown",
                place=_place(error, str(name)),
                sentence=f"there is no field {name}",
                fix=f"did you mean {near[0]}?" if near else f"the fields are {', '.join(known)}",
            )


def _missing(error: ValidationError) -> Iterable[Finding]:
    needed: Any = error.validator_value
    for name in needed:
        if name not in _given(error):
            field = _properties(error).get(name)
            yield Finding(
                code="request-missing",
                place=_place(error, name),
                sentence=f"{name} is needed",
                fix=str(field.get("x-ask", "")) if isinstance(field, Mapping) else "",
            )


def _given(error: ValidationError) -> Mapping[str, Any]:
    return error.instance if isinstance(error.instance, Mapping) else {}


def _properties(error: ValidationError) -> Mapping[str, Any]:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    properties = schema.get("properties", {})
    return properties if isinstance(properties, Mapping) else {}


def _wrong(error: ValidationError, added: Mapping[str, str]) -> Finding:
    code, sentence = _SENTENCES.get(str(error.validator), _otherwise)(error)
    field = str(error.absolute_path[0]) if error.absolute_path else ""
    fix = _nearest(error)
    if field in added:
        fix = f"{field} was not given and is {added[field]}: give it"
    return Finding(code=code, place=_place(error), sentence=sentence, fix=fix)


def _otherwise(error: ValidationError) -> tuple[str, str]:
    return "request-value", f"{_short(error.instance)} does not fit: {error.message}"[:300]


def _type(error: ValidationError) -> tuple[str, str]:
    wanted = error.validator_value if isinstance(error.validator_value, list) else [error.validator_value]
    names = " or ".join(_KINDS.get(str(kind), str(kind)) for kind in wanted)
    return "request-type", f"{_short(error.instance)} is not {names}"


def _choice(error: ValidationError) -> tuple[str, str]:
    return "request-choice", f"{_short(error.instance)} is not one of {', '.join(_choices(error))}"


def _choices(error: ValidationError) -> list[str]:
    values: Any = error.validator_value
    return [str(value) for value in values]


def _format(error: ValidationError) -> tuple[str, str]:
    wanted = _FORMATS.get(str(error.validator_value), f"a {error.validator_value}")
    return "request-format", f"{_short(error.instance)} is not {wanted}"


def _least(error: ValidationError) -> tuple[str, str]:
    return "request-range", f"{_short(error.instance)} is too small: at least {error.validator_value}"


def _most(error: ValidationError) -> tuple[str, str]:
    return "request-range", f"{_short(error.instance)} is too large: at most {error.validator_value}"


def _too_short(error: ValidationError) -> tuple[str, str]:
    return "request-range", "this is empty" if not error.instance else f"{_short(error.instance)} is too short"


def _too_long(error: ValidationError) -> tuple[str, str]:
    return "request-range", f"this is too long: at most {error.validator_value} characters"


def _pattern(error: ValidationError) -> tuple[str, str]:
    return "request-format", f"{_short(error.instance)} has not the form that is asked for ({error.validator_value})"


_SENTENCES: Mapping[str, Callable[[ValidationError], tuple[str, str]]] = {
    "type": _type,
    "enum": _choice,
    "format": _format,
    "minimum": _least,
    "maximum": _most,
    "minLength": _too_short,
    "maxLength": _too_long,
    "pattern": _pattern,
}


def _nearest(error: ValidationError) -> str:
    if error.validator != "enum" or not isinstance(error.instance, str):
        return ""
    by_lower = {choice.casefold(): choice for choice in _choices(error)}
    near = difflib.get_close_matches(error.instance.casefold(), by_lower, 1)
    return f"did you mean {by_lower[near[0]]}?" if near else ""


def _place(error: ValidationError, name: str = "") -> str:
    return ".".join(["request", *map(str, error.absolute_path), *([name] if name else [])])


def _short(value: Any) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else text[:57] + "…"
