"""Is every ``not_before`` a moment that is surely known when the step is to start?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from governance.findings import Finding
from plans.expressions import parse
from plans.implication import conjuncts
from plans.language import Step
from plans.proposals import Proposals
from plans.resolve import evaluate_expression
from plans.schemas import Shape
from plans.subject import Subject
from plans.values import Where, check_value

MOMENT = Shape({"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}, {})


def timing_findings(subject: Subject) -> Iterator[Finding]:
    """What keeps ``not_before`` of a step from being a date or a date-time."""
    proposals = Proposals(subject)
    for step in subject.plan.steps:
        if step.not_before is not None:
            known = conjuncts(subject.whens.get(step.id))
            where = Where(f"steps.{step.id}.not_before", subject.scope_of(step.id), known, proposals.for_step(step.id))
            yield from check_value(parse(step.not_before), MOMENT, where, may_lack=False)


def earliest(step: Step, scope: Mapping[str, Any]) -> datetime | None:
    """The moment before which a step does not start; None: it may start at once. A date begins at 00:00 UTC.

    Raises:
        ValueError: the value is no date and no date-time with an offset, or is not in ``scope``.

    """
    if step.not_before is None:
        return None
    value = evaluate_expression(parse(step.not_before), scope)
    written = value if isinstance(value, str) else ""
    if "T" not in written.upper():
        return datetime.combine(date.fromisoformat(written), time(), UTC)
    moment = datetime.fromisoformat(written)
    if moment.tzinfo is None:
        raise ValueError(f"{step.id}: not_before has no offset from UTC")
    return moment
