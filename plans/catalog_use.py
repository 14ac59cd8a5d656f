"""Does every step name a tool that exists and that the requester may use?"""

from __future__ import annotations

from collections.abc import Iterator

from governance.findings import Finding
from governance.people import Person
from plans import codes
from plans.checked import Premises
from plans.language import Step
from plans.schemas import close
from plans.subject import Subject


def tool_findings(subject: Subject) -> Iterator[Finding]:
    """Tools that do not exist or may not be used."""
    for step in subject.plan.steps:
        tool = subject.tools.get(step.id)
        if tool is None:
            yield _unknown(step, subject.premises)
        elif not permits(subject.premises.requester, tool.spec.permission):
            yield _not_permitted(step, tool.spec.permission, subject.premises)


def permits(person: Person, permission: str) -> bool:
    """Whether a person holds a permission: itself, ``system:*`` for all of a system's, or ``*`` for all there are."""
    return not permission or person.may(permission)


def _unknown(step: Step, premises: Premises) -> Finding:
    place, name = f"steps.{step.id}.tool", step.tool.rpartition("@")[0] or step.tool
    versions = sorted(tool_id for tool_id, spec in premises.tools.items() if spec.name == name)
    if versions:
        sentence = f"there is no {step.tool}, but there is {', '.join(versions)}"
        return codes.UNKNOWN_VERSION(place, sentence, f"write {versions[-1]}")
    near = close(name, [spec.name for spec in premises.tools.values()])
    found = sorted(tool_id for tool_id, spec in premises.tools.items() if spec.name == near)
    return codes.UNKNOWN_TOOL(
        place, f"there is no tool “{step.tool[:80]}”", f"did you mean {found[-1]}?" if found else ""
    )


def _not_permitted(step: Step, permission: str, premises: Premises) -> Finding:
    able = [person.name for person in premises.directory.everyone() if permits(person, permission)]
    return codes.NOT_PERMITTED(
        f"steps.{step.id}.tool",
        f"{premises.requester.name} may not use {step.tool}: it needs the permission {permission}",
        f"let {' or '.join(able[:3])} ask for it" if able else f"nobody holds {permission}",
    )
