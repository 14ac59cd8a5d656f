"""What a step's id is bound to from the moment it begins: tool, version, arguments, and the list that it is run for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.canonical import digest
from governance.findings import Finding
from plans import codes
from plans.language import Step
from plans.subject import Subject


def begun_digest(step: Step) -> str:
    """What the id is bound to; without ``for_each`` the digest of its action as written."""
    bound: dict[str, Any] = {"tool": step.tool, "args": step.args}
    return digest(bound | {"for_each": step.for_each.model_dump(mode="json")} if step.for_each else bound)


def begun_findings(subject: Subject) -> Iterator[Finding]:
    """Steps that have begun and are not what they were, are not there any more, or failed and are there again."""
    premises = subject.premises
    for step in subject.plan.steps:
        place = f"steps.{step.id}"
        if step.id in premises.dropped:
            yield codes.FAILED_KEPT(place, f"{step.id} failed in this run", f"leave it out, or call it {step.id}_2")
            continue
        begun = premises.begun.get(step.id)
        if begun is not None and begun != begun_digest(step):
            yield codes.BEGUN_CHANGED(
                place,
                f"{step.id} has begun with another tool, version or arguments",
                f"keep it as it was, and give the changed step a new id, such as {step.id}_2",
            )
    for step_id in sorted(premises.kept - subject.steps.keys() - subject.scope.broken):
        yield codes.BEGUN_DROPPED("steps", f"{step_id} has begun and is not in this plan", "keep it as it was")
