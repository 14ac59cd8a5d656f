"""Whether a playbook can work with the tools and people there are: what ``steward playbook check`` says."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema import Draft202012Validator, SchemaError

from governance.conditions import problems as condition_problems
from governance.conditions import references
from governance.findings import Finding, Severity
from governance.goals import Goal
from governance.people import Directory
from governance.policy import PolicyRule
from playbooks.expressions import problems as expression_problems
from playbooks.model import Playbook
from playbooks.policy import rule_findings
from tools.contract import ToolSpec
from tools.inside import CHOOSE

_HOLE = re.compile(r"\{([^{}]*)\}")


def check_playbook(playbook: Playbook, tools: Mapping[str, ToolSpec], directory: Directory) -> tuple[Finding, ...]:
    """Everything that keeps the playbook from working, at once; places begin with the playbook's id."""
    found = [*_request(playbook), *_derived(playbook), *_goals(playbook, tools), *_people(playbook, directory)]
    return tuple(finding.model_copy(update={"place": f"{playbook.id}: {finding.place}"}) for finding in found)


def check_policy(rules: Iterable[PolicyRule], directory: Directory, where: str = "policy.yaml") -> tuple[Finding, ...]:
    """Whether every approver that the rules name is known."""
    return tuple(_approvers(rules, directory, f"{where}: rules"))


def _request(playbook: Playbook) -> Iterator[Finding]:
    schema = playbook.request
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = ".".join(["request", *map(str, error.absolute_path)])
        yield _error("request-schema", where, f"this is not a JSON Schema: {error.message}"[:300])
        return
    fields = _fields(playbook)
    if schema.get("type") != "object" or not fields:
        yield _error("request-schema", "request", "a request is an object with properties")
    for name in schema.get("required", ()):
        if name not in fields:
            yield _error("request-schema", "request.required", f"{name} is required and is no property")
        elif isinstance(fields[name], Mapping) and "x-ask" not in fields[name] and "default" not in fields[name]:
            yield _warning("request-no-question", f"request.{name}", "without x-ask, chat has no good question for it")
    for name, field in fields.items():
        if (
            isinstance(field, Mapping)
            and "default" in field
            and not Draft202012Validator(field).is_valid(field["default"])
        ):
            yield _error("request-schema", f"request.{name}.default", "the default does not fit the field")


def _derived(playbook: Playbook) -> Iterator[Finding]:
    fields = _fields(playbook)
    for name, expression in playbook.derived.items():
        if name not in fields:
            yield _error("derived-unknown", f"derived.{name}", f"the request has no property {name}")
        for sentence in expression_problems(expression, fields):
            yield _error("expression-form", f"derived.{name}", sentence)
    for sentence in expression_problems({"$text": playbook.title}, fields):
        yield _error("expression-form", "title", sentence)


def _goals(playbook: Playbook, tools: Mapping[str, ToolSpec]) -> Iterator[Finding]:
    provided = sorted({spec.reaches for spec in tools.values() if spec.reaches})
    ids = [goal.id for goal in playbook.goals]
    if not ids and not playbook.open_goals:
        yield _error("goal-none", "goals", "a playbook without goals does nothing")
    for number, goal in enumerate(playbook.goals):
        where = f"goals.{goal.id}"
        if goal.id in ids[:number]:
            yield _error("goal-twice", where, f"two goals are called {goal.id}")
        if goal.provides not in provided:
            near = difflib.get_close_matches(goal.provides, provided, 1)
            fix = f"did you mean {near[0]}?" if near else "add a tool that provides it"
            yield _error("goal-unreachable", f"{where}.provides", f"no tool provides {goal.provides}", fix)
        else:
            yield from _goal_args(playbook, tools, number)
        if goal.decide is not None and goal.provides not in {
            spec.reaches for spec in tools.values() if spec.id == CHOOSE
        }:
            sentence = f"an agent cannot decide on {goal.provides}, which is no choice"
            yield _error("goal-decides-nothing", f"{where}.decide", sentence)
        for other in goal.after:
            if other not in ids:
                yield _error("goal-unknown", f"{where}.after", f"there is no goal {other}")
        if goal.when is not None:
            yield from _condition(goal, f"{where}.when", playbook)


def _goal_args(playbook: Playbook, tools: Mapping[str, ToolSpec], number: int) -> Iterator[Finding]:
    goal = playbook.goals[number]
    inputs = {name for spec in tools.values() if spec.reaches == goal.provides for name in spec.input["properties"]}
    for name, value in goal.args.items():
        where = f"goals.{goal.id}.args.{name}"
        if name not in inputs:
            near = difflib.get_close_matches(name, inputs, 1)
            fix = f"did you mean {near[0]}?" if near else f"it takes {', '.join(sorted(inputs))}"
            yield _error("goal-unknown-argument", where, f"no tool that provides {goal.provides} takes {name}", fix)
        for path in references(value):
            yield from _reference(path, where, playbook, goal)
        for path in _text_paths(value):
            yield from _reference(path, where, playbook, goal)


def _text_paths(value: Any) -> list[str]:
    """What every ``$text`` at any depth of an argument refers to."""
    if isinstance(value, Mapping):
        template = value.get("$text")
        if isinstance(template, str):
            return _HOLE.findall(template.replace("{{", "").replace("}}", ""))
        return [path for part in value.values() for path in _text_paths(part)]
    if isinstance(value, list):
        return [path for part in value for path in _text_paths(part)]
    return []


def _reference(path: str, where: str, playbook: Playbook, goal: Goal) -> Iterator[Finding]:
    """A goal refers to the request, or to what the step of another goal answers with, by that goal's id."""
    root = path.partition(".")[0]
    if root != goal.id and root in {other.id for other in playbook.goals}:
        return
    yield from _field_of(path, where, _fields(playbook))


def _condition(goal: Goal, where: str, playbook: Playbook) -> Iterator[Finding]:
    for sentence in condition_problems(goal.when):
        yield _error("condition-form", where, sentence)
    for path in references(goal.when):
        yield from _reference(path, where, playbook, goal)


def _field_of(path: str, where: str, fields: Mapping[str, Any]) -> Iterator[Finding]:
    for sentence in expression_problems({"$ref": path}, fields):
        field = path.partition(".")[2]
        near = difflib.get_close_matches(field, fields, 1)
        yield _error("reference-unknown", where, sentence, f"did you mean request.{near[0]}?" if near else "")


def _people(playbook: Playbook, directory: Directory) -> Iterator[Finding]:
    for rule in playbook.policy:
        yield from rule_findings(rule, f"policy.{rule.name}")
    yield from _approvers(playbook.policy, directory, "policy")
    for number, name in enumerate(playbook.chain):
        yield from _known(name, directory, f"chain.{number}")
    yield from _escalation(playbook, directory)


def _escalation(playbook: Playbook, directory: Directory) -> Iterator[Finding]:
    before = 0.0
    for number, level in enumerate(playbook.escalation):
        where = f"escalation.{number}"
        if level.after_hours <= before:
            yield _error(
                "escalation-hours",
                f"{where}.after_hours",
                f"{level.after_hours:g} hours after the question is not later than {before:g}, when it goes up before",
                "hours count from the question, and grow",
            )
        before = max(before, level.after_hours)
        for name in level.to:
            yield from _known(name, directory, f"{where}.to")


def _approvers(rules: Iterable[PolicyRule], directory: Directory, where: str) -> Iterator[Finding]:
    for rule in rules:
        for name in rule.approvers:
            yield from _known(name, directory, f"{where}.{rule.name}.approvers")


def _known(name: str, directory: Directory, where: str) -> Iterator[Finding]:
    if name == "manager":
        return
    address = name.removeprefix("person:")
    if address != name or "@" in name:
        if directory.find(address) is None:
            yield _error("approver-unknown", where, f"{address} is not in the directory")
    elif not directory.members_of(name):
        roles = sorted({role for person in directory.everyone() for role in person.roles})
        yield _error("approver-unknown", where, f"nobody has the role {name}", f"there are {', '.join(roles)}")


def _fields(playbook: Playbook) -> Mapping[str, Any]:
    fields = playbook.request.get("properties", {})
    return fields if isinstance(fields, Mapping) else {}


def _error(code: str, where: str, sentence: str, fix: str = "") -> Finding:
    return Finding(code=code, place=where, sentence=sentence, fix=fix)


def _warning(code: str, where: str, sentence: str) -> Finding:
    return Finding(code=code, place=where, sentence=sentence, severity=Severity.WARNING)
