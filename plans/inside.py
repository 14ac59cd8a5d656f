"""Steps of the tools that act inside Steward: what their literal arguments say about their types, and about them.

The schema in a ``people.ask`` step is the type of its answers; the playbook in a ``runs.start`` step has the schema that
its request must fit; ``decide`` stands where there is something to choose.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from governance.findings import Finding
from governance.forms import schema_problem
from plans import codes
from plans.expressions import Expression, Fields, Literal
from plans.implication import conjuncts
from plans.proposals import Proposals
from plans.schemas import Shape, close
from plans.subject import Subject
from plans.values import Where, check_value
from tools.awaiting import AwaitedEvent
from tools.choosing import Choosing
from tools.inside import CHOOSE, CLOCK_WAIT, EVENTS_AWAIT, PEOPLE_ASK, RUNS_START


def inside_findings(subject: Subject) -> Iterator[Finding]:
    """What is wrong with forms, waits and runs to be started."""
    for step_id, step in subject.steps.items():
        if step.decide is not None:
            yield from _decide(step_id, subject)
        if step.tool == PEOPLE_ASK:
            yield from _schema(step_id, subject, "the form")
        elif step.tool == CLOCK_WAIT and len(step.args.keys() & {"until", "for_seconds"}) != 1:
            place = f"steps.{step_id}.args"
            yield codes.BAD_LITERAL(place, "a wait takes either until or for_seconds", "give one of them")
        elif step.tool == EVENTS_AWAIT:
            yield from _event(step_id, subject)
        elif step.tool == CHOOSE:
            yield from _choice(step_id, subject)
        elif step.tool == RUNS_START:
            yield from _child(step_id, subject)


def _schema(step_id: str, subject: Subject, what: str) -> Iterator[Finding]:
    written = subject.expressions[step_id].get("schema")
    if written is None:
        return
    problem = schema_problem(written.value) if isinstance(written, Literal) else "is not written out in the plan"
    if problem:
        fix = 'write {"type": "object", "properties": {"size": {"type": "string"}}, "required": ["size"]}'
        yield codes.BAD_LITERAL(f"steps.{step_id}.args.schema", f"{what} {problem}", fix)


def _event(step_id: str, subject: Subject) -> Iterator[Finding]:
    """The type of an event and the names of what is matched are written out, its schema is flat, and the wait has an end."""
    yield from _schema(step_id, subject, "the schema of the data")
    args, place = subject.expressions[step_id], f"steps.{step_id}.args"
    if not isinstance(args.get("type", Literal("")), Literal):
        yield codes.BAD_LITERAL(f"{place}.type", "the type of an event is written out in the plan", "")
    ends = {"until": "2027-01-01T00:00:00Z", "for_seconds": 1}
    probe = {name: value for name, value in ends.items() if name in args}
    try:
        AwaitedEvent.model_validate({"type": "-", "match": dict.fromkeys(_names(args.get("match")), "-"), **probe})
    except ValidationError as error:
        yield codes.BAD_LITERAL(place, f"the wait is none: {error.errors()[0]['msg']}", "")


def _choice(step_id: str, subject: Subject) -> Iterator[Finding]:
    """Options and rules are written out in the plan, rules look at facts that it hands in, and somebody can be asked."""
    args, place = subject.expressions[step_id], f"steps.{step_id}.args"
    parts = {name: args.get(name) for name in ("options", "rules", "to")}
    written = {name: part.value for name, part in parts.items() if isinstance(part, Literal)}
    for name in ("options", "rules", "to"):
        if name in args and name not in written:
            yield codes.BAD_LITERAL(f"{place}.{name}", f"the {name} of a choice are written out in the plan", "")
    names = _names(args.get("facts"))
    try:
        choosing = Choosing.model_validate({"question": "-", "to": "-", **written, "facts": {}})
    except ValidationError as error:
        yield codes.BAD_LITERAL(place, f"the choice is not one: {error.errors()[0]['msg']}", "")
        return
    for rule in choosing.rules:
        for name in sorted(rule.where.keys() - names):
            fix = close(name, sorted(names))
            yield codes.BAD_LITERAL(
                f"{place}.rules", f"a rule looks at {name}, which is no fact", f"did you mean {fix}?" if fix else ""
            )
    directory = subject.premises.directory
    if "to" in written and not (directory.find(choosing.to) or directory.members_of(choosing.to)):
        yield codes.APPROVER_UNKNOWN(f"{place}.to", f"“{choosing.to[:80]}”, who is asked, is nobody", "")


def _decide(step_id: str, subject: Subject) -> Iterator[Finding]:
    """An agent chooses only where the step does, by facts that have names, and is told a question of the plan's own."""
    place, args = f"steps.{step_id}.decide", subject.expressions[step_id]
    if subject.steps[step_id].tool != CHOOSE:
        yield codes.NOTHING_TO_DECIDE(place, f"{step_id} chooses nothing", f"leave it out, or use {CHOOSE}")
        return
    if not _names(args.get("facts")):
        yield codes.NOTHING_TO_DECIDE(place, "there is no fact by which an agent could choose", "hand in facts")
    if not isinstance(args.get("question", Literal("")), Literal):
        sentence = "the question that an agent is asked is written out in the plan"
        yield codes.NOTHING_TO_DECIDE(place, sentence, "put what is referred to among the facts")


def _names(value: Expression | None) -> set[str]:
    """The names of the fields of an object that stands in the plan."""
    if isinstance(value, Fields):
        return set(value.fields)
    return set(value.value) if isinstance(value, Literal) and isinstance(value.value, dict) else set()


def _child(step_id: str, subject: Subject) -> Iterator[Finding]:
    args, startable = subject.expressions[step_id], subject.premises.startable
    named, request = args.get("playbook"), args.get("request")
    if startable is None or not isinstance(named, Literal) or not isinstance(named.value, str):
        return
    place = f"steps.{step_id}.args.playbook"
    child = startable.get(named.value)
    if child is None:
        near = close(named.value, list(startable))
        yield codes.BAD_LITERAL(
            place, f"there is no playbook “{named.value[:80]}”", f"did you mean {near}?" if near else ""
        )
        return
    if child.permission and not subject.premises.requester.may(child.permission):
        yield codes.NOT_PERMITTED(
            place,
            f"{subject.premises.requester.name} may not start {named.value}: it needs the permission {child.permission}",
            "",
        )
    if request is not None:
        shape = Shape({**child.schema, "additionalProperties": False}, child.schema)
        propose = Proposals(subject).for_step(step_id)
        where = Where(
            f"steps.{step_id}.args.request", subject.scope_of(step_id), conjuncts(subject.whens.get(step_id)), propose
        )
        yield from check_value(request, shape, where, may_lack=False)
