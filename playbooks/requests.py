"""From what somebody gave to the request that a run uses: defaults, validation, derived fields.

Every door (CLI, chat, triggers) and the graph use this one function, so that a request means the same everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from governance.conditions import MISSING
from governance.errors import InvalidRequest
from governance.findings import Finding
from governance.text import value_problem
from playbooks.expressions import evaluate, render
from playbooks.model import Playbook
from playbooks.request_findings import findings_of

_EMAIL = re.compile(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def validate_request(playbook: Playbook, request: Any) -> dict[str, Any]:
    """The request as a run uses it: defaults filled in, checked, derived fields added where they were not given.

    Raises:
        InvalidRequest: with a finding for every problem, each under ``request.<field>``.

    """
    findings = request_findings(playbook, request)
    if findings:
        count = len(findings)
        raise InvalidRequest(
            f"the request does not fit {playbook.id}: {count} problem{'s' if count > 1 else ''}",
            hint=f"`steward playbook {playbook.name}` shows what is asked for",
            findings=findings,
        )
    return complete(playbook, request)[0]


def request_findings(playbook: Playbook, request: Any) -> tuple[Finding, ...]:
    """Everything that is wrong with a request as given. Total: any JSON value may be given."""
    if not isinstance(request, Mapping):
        return (Finding(code="request-form", place="request", sentence="a request is an object with fields"),)
    problem = value_problem({name: _plain(value) for name, value in request.items()})
    if problem:
        return (Finding(code="request-form", place="request", sentence=f"the request {problem}"),)
    whole, filled = complete(playbook, request)
    schema = {**playbook.request, "additionalProperties": False}
    validator = Draft202012Validator(schema, format_checker=_formats())
    return (*findings_of(validator.iter_errors(whole), filled), *_goals_twice(playbook, whole.get("goals")))


def _goals_twice(playbook: Playbook, goals: Any) -> list[Finding]:
    """Goals of one name, where a request names its own."""
    named = [goal.get("id") for goal in goals if isinstance(goal, Mapping)] if isinstance(goals, list) else []
    twice = [name for name in dict.fromkeys(named) if isinstance(name, str) and named.count(name) > 1]
    sentences = [f"two goals are called {name}" for name in twice if playbook.open_goals]
    return [Finding(code="request-value", place="request.goals", sentence=sentence) for sentence in sentences]


def complete(playbook: Playbook, request: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """The request with defaults and derived fields, and for each field that was added, how: a sentence's end.

    Null counts as not given. Nothing is validated here.
    """
    whole = {name: _plain(value) for name, value in request.items() if value is not None}
    added: dict[str, str] = {}
    for name, schema in _properties(playbook).items():
        if name not in whole and isinstance(schema, Mapping) and "default" in schema:
            whole[name] = schema["default"]
            added[name] = "the playbook's default"
    for name, expression in playbook.derived.items():
        value = evaluate(expression, whole) if name not in whole else MISSING
        if value is not MISSING:
            whole[name] = value
            added[name] = "derived by the playbook"
    return whole, added


def closed_schema(playbook: Playbook) -> dict[str, Any]:
    """The request's schema as a completed request meets it: unknown fields refused, defaulted ones always there.

    This is the schema to check plans against.
    """
    schema = dict(playbook.request)
    always = [
        name for name, field in _properties(playbook).items() if isinstance(field, Mapping) and "default" in field
    ]
    required = [*schema.get("required", ())]
    derived = [name for name, rule in playbook.derived.items() if _always_derived(rule, {*required, *always})]
    schema["required"] = [*required, *(name for name in (*always, *derived) if name not in required)]
    schema["additionalProperties"] = False
    return schema


def title_of(playbook: Playbook, request: Mapping[str, Any]) -> str:
    """The run's title for lists: the playbook's template over the request."""
    return render(playbook.title, request)


def _properties(playbook: Playbook) -> Mapping[str, Any]:
    properties = playbook.request.get("properties", {})
    return properties if isinstance(properties, Mapping) else {}


def _always_derived(expression: Any, sure: set[str]) -> bool:
    """Whether a derived field is there whenever the ``sure`` fields are."""
    stand_in = dict.fromkeys(sure, "x")
    match expression:
        case {"$map": [source, dict()]}:
            return _always_derived(source, sure)
    return evaluate(expression, stand_in) is not MISSING


def _plain(value: Any) -> Any:
    """Dates as YAML and Python write them become the text that JSON has for them; text loses outer blanks."""
    if isinstance(value, date):
        return value.isoformat()
    return value.strip() if isinstance(value, str) else value


def _formats() -> FormatChecker:
    checker = FormatChecker()
    checker.checks("email")(lambda value: not isinstance(value, str) or bool(_EMAIL.fullmatch(value)))
    return checker
