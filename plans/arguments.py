"""Is every required argument of every step there, none unknown, and does each fit?"""

from __future__ import annotations

from collections.abc import Iterator

from governance.findings import Finding
from plans import codes
from plans.expressions import Expression
from plans.implication import conjuncts
from plans.loops import for_item
from plans.proposals import Proposals
from plans.schemas import Interface, close, listed
from plans.subject import Subject
from plans.values import Where, check_value


def argument_findings(subject: Subject) -> Iterator[Finding]:
    """What is wrong with the arguments of the steps whose tools are known."""
    proposals = Proposals(subject)
    for step_id in subject.steps:
        tool = subject.tools.get(step_id)
        if tool is not None:
            yield from _step(step_id, tool, subject, proposals)


def _step(step_id: str, tool: Interface, subject: Subject, proposals: Proposals) -> Iterator[Finding]:
    args = subject.expressions[step_id]
    known = conjuncts(subject.whens.get(step_id))
    propose = proposals.for_step(step_id)
    for name, value in args.items():
        place = f"steps.{step_id}.args.{name}"
        shape = tool.inputs.get(name)
        if (step_id, name) in subject.sure:
            continue
        if shape is not None:
            where = Where(place, subject.scope_of(step_id), known, propose)
            findings = (
                finding
                for each in _each(value, step_id, subject)
                for finding in check_value(each, shape, where, may_lack=name not in tool.required)
            )
            yield from dict.fromkeys(findings)
        elif tool.closed or tool.inputs:
            near = close(name, list(tool.inputs))
            fix = f"did you mean {near}?" if near else f"it takes {listed(list(tool.inputs)) or 'nothing'}"
            yield codes.UNKNOWN_ARGUMENT(place, f"{tool.spec.id} takes no argument “{name}”", fix)
    for name in sorted(tool.required - args.keys()):
        place = f"steps.{step_id}.args.{name}"
        fix = propose(tool.inputs[name], place) if name in tool.inputs else ""
        yield codes.MISSING_ARGUMENT(place, f"{tool.spec.id} needs {name}", fix or f"give {name}")


def _each(value: Expression, step_id: str, subject: Subject) -> list[Expression]:
    """The value; for a list that is written out, the value for each item, so that literals are judged as such."""
    loop = subject.loops.get(step_id)
    written = loop.written if loop is not None else None
    return [for_item(value, item) for item in written[: loop.most]] if loop and written else [value]
