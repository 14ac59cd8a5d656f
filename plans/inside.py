"""Steps of the tools that act inside Steward: what their literal arguments say about their types, and about them.

The schema in a ``people.ask`` step is the type of its answers; the playbook in a ``runs.start`` step has the schema that
its request must fit.
"""

from __future__ import annotations

from collections.abc import Iterator

from governance.findings import Finding
from governance.forms import schema_problem
from plans import codes
from plans.expressions import Literal
from plans.implication import conjuncts
from plans.proposals import Proposals
from plans.schemas import Shape, close
from plans.subject import Subject
from plans.values import Where, check_value
from tools.inside import CLOCK_WAIT, PEOPLE_ASK, RUNS_START


def inside_findings(subject: Subject) -> Iterator[Finding]:
    """What is wrong with forms, waits and runs to be started."""
    for step_id, step in subject.steps.items():
        if step.tool == PEOPLE_ASK:
            yield from _form(step_id, subject)
        elif step.tool == CLOCK_WAIT and len(step.args.keys() & {"until", "for_seconds"}) != 1:
            place = f"steps.{step_id}.args"
            yield codes.BAD_LITERAL(place, "a wait takes either until or for_seconds", "give one of them")
        elif step.tool == RUNS_START:
            yield from _child(step_id, subject)


def _form(step_id: str, subject: Subject) -> Iterator[Finding]:
    written = subject.expressions[step_id].get("schema")
    if written is None:
        return
    problem = schema_problem(written.value) if isinstance(written, Literal) else "is not written out in the plan"
    if problem:
        fix = 'write {"type": "object", "properties": {"size": {"type": "string"}}, "required": ["size"]}'
        yield codes.BAD_LITERAL(f"steps.{step_id}.args.schema", f"the form {problem}", fix)


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
