"""From any JSON value to as much of a plan as is well formed, and findings for the rest."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from governance.findings import Finding
from plans import codes
from plans.language import RESERVED, SCHEMA, Plan, Step
from plans.schemas import brief, nearest

_DEEPEST = 64
_MOST_WHOLE = 2**53 - 1
_SALVAGE: Mapping[str, Any] = {"reason": "-", "confidence": 0.0}
_OPTIONAL = frozenset({"args", "when", "after", "for_each", "decide", "not_before"})


class NotJson(ValueError):
    """The value is not JSON that can be kept; ``str`` says why."""


@dataclass(frozen=True)
class Reading:
    """A document as read. ``plan`` has the well-formed steps, salvaged ones among them; None: there is nothing to check.

    ``broken`` are the ids of steps that are written but cannot be looked into.
    """

    plan: Plan | None
    broken: frozenset[str] = frozenset()
    findings: tuple[Finding, ...] = ()


@dataclass
class _Reader:
    steps: dict[str, Step] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def plain(value: Any, depth: int = 0) -> Any:
    """A copy of a JSON value.

    Raises:
        NotJson: something in it is not JSON, or it is nested too deeply.

    """
    if isinstance(value, str):
        return value if value.isascii() else _text(value)
    if value is None or isinstance(value, bool):
        return value
    if depth > _DEEPEST:
        raise NotJson(f"the document is nested deeper than {_DEEPEST} levels")
    if isinstance(value, dict):
        return {_key(key): plain(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [plain(part, depth + 1) for part in value]
    if isinstance(value, int | float):
        return _number(value)
    raise NotJson(f"{brief(type(value).__name__)} is no kind of JSON value")


def _text(value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise NotJson(f"the text {value[:20]!a} is not Unicode") from None
    return value


def _key(key: Any) -> str:
    if not isinstance(key, str):
        raise NotJson(f"the key {brief(key)} is not text")
    return key if key.isascii() else _text(key)


def _number(value: float) -> float:
    if isinstance(value, float) and not math.isfinite(value):
        raise NotJson(f"{value} is not a JSON number")
    if isinstance(value, int) and abs(value) > _MOST_WHOLE:
        raise NotJson("a whole number is beyond 2^53 and would lose digits")
    return value


def read(document: Any, max_steps: int) -> Reading:
    """The well-formed part of ``document``. Total."""
    try:
        copy = plain(document)
    except NotJson as error:
        return Reading(None, findings=(codes.NOT_JSON("", f"The document cannot be kept: {error}"),))
    if not isinstance(copy, dict):
        return Reading(None, findings=(codes.MALFORMED("", f"a plan is an object, not {brief(copy)}"),))
    reader = _Reader()
    raw_steps = copy.pop("steps", None)
    head = _head(copy, reader)
    if not isinstance(raw_steps, list):
        reader.findings.append(codes.MALFORMED("steps", "a plan has a list of steps", "write steps: []"))
        raw_steps = []
    if len(raw_steps) > max_steps:
        sentence = f"the plan has {len(raw_steps)} steps, and {max_steps} are allowed"
        reader.findings.append(codes.TOO_MANY_STEPS("steps", sentence, "do the work in several runs"))
        return Reading(None, findings=tuple(reader.findings))
    for number, raw in enumerate(raw_steps):
        _step(raw, number, reader)
    plan = head.model_copy(update={"steps": tuple(reader.steps.values())})
    return Reading(plan, frozenset(reader.broken - reader.steps.keys()), tuple(reader.findings))


def _head(copy: dict[str, Any], reader: _Reader) -> Plan:
    """The plan without its steps; what is wrong in it is left out."""
    version = copy.get("schema", SCHEMA)
    if version != SCHEMA or isinstance(version, bool):
        reader.findings.append(
            codes.SCHEMA_VERSION("schema", f"{brief(version)} is not a known version", f"write {SCHEMA}")
        )
        copy.pop("schema")
    try:
        return Plan.model_validate({**copy, "steps": []})
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False, include_context=False):
            reader.findings.append(_malformed("", detail, list(Plan.model_fields)))
    playbook, goals = copy.get("playbook"), copy.get("goal_steps")
    sound = {k: v for k, v in goals.items() if isinstance(v, str)} if isinstance(goals, dict) else {}
    return Plan(schema=SCHEMA, playbook=playbook if isinstance(playbook, str) else "", goal_steps=sound, steps=())


def _step(raw: Any, number: int, reader: _Reader) -> None:
    named = isinstance(raw, dict) and isinstance(raw.get("id"), str) and raw["id"].isidentifier()
    place = f"steps.{raw['id'] if named else number}"
    if not isinstance(raw, dict):
        reader.findings.append(codes.MALFORMED(place, f"a step is an object, not {brief(raw)}"))
        return
    step = _parsed(raw, place, reader)
    if step is None:
        if named:
            reader.broken.add(raw["id"])
        return
    if step.id in reader.steps:
        reader.findings.append(
            codes.DUPLICATE_STEP(f"{place}.id", f"there is another step “{step.id}”", f"call it {step.id}_2")
        )
        return
    if step.id in RESERVED:
        reader.findings.append(
            codes.RESERVED_STEP_ID(f"{place}.id", f"“{step.id}” is a word of the language", f"call it {step.id}_step")
        )
    reader.steps[step.id] = step


def _parsed(raw: dict[str, Any], place: str, reader: _Reader) -> Step | None:
    """The step; where only fields that nothing hangs on are wrong, the step without them."""
    try:
        return Step.model_validate(raw)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
    reader.findings.extend(_malformed(place, detail, list(Step.model_fields)) for detail in details)
    wrong = {str(detail["loc"][0]) for detail in details if detail["loc"]}
    mended = {key: value for key, value in raw.items() if key not in wrong}
    mended |= {key: value for key, value in _SALVAGE.items() if key in wrong}
    if wrong & {"id", "tool"} or (wrong & _OPTIONAL) - {"after"}:
        return None
    try:
        return Step.model_validate(mended)
    except ValidationError:
        return None


def _malformed(place: str, detail: ErrorDetails, fields: list[str]) -> Finding:
    path = ".".join(str(part) for part in detail["loc"])
    fix = nearest(path, fields) if detail["type"] == "extra_forbidden" else ""
    words = {"missing": "this field is required", "extra_forbidden": "there is no such field"}
    sentence = words.get(detail["type"], detail["msg"][:1].lower() + detail["msg"][1:])
    return codes.MALFORMED(".".join(part for part in (place, path) if part), sentence, fix)


def document_schema() -> dict[str, Any]:
    """The JSON Schema of plan documents: ``docs/reference/plan.schema.json``."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema"} | Plan.model_json_schema(by_alias=True)
