"""The point of no return: after the first effect that cannot be undone, nothing may come that a person may still refuse.

Order: what can be undone, then the one that decides, then what goes by itself (docs/explanation/effects.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from governance.findings import Finding
from governance.policy import Ruling, RulingKind
from plans import codes
from plans.effects_order import is_irreversible
from plans.subject import Subject


def pivot_findings(subject: Subject, rulings: Iterable[Ruling]) -> Iterator[Finding]:
    """Gated irreversible effects that do not come before the irreversible ones that go by themselves.

    Two gated ones may stand in any order: people decide on each, and know that there is no way back.
    """
    knotted = {step_id for circle in subject.cycles for step_id in circle}
    last = {step_id for step_id, tool in subject.tools.items() if is_irreversible(tool)} - knotted
    kinds = {ruling.step: ruling.kind for ruling in rulings if ruling.step in last}
    gated = [step_id for step_id, kind in kinds.items() if kind is RulingKind.GATE]
    for free in (step_id for step_id, kind in kinds.items() if kind is RulingKind.GO):
        for step_id in gated:
            if free in subject.before[step_id]:
                yield codes.GATE_AFTER_PIVOT(
                    f"steps.{step_id}",
                    f"somebody may say no to {step_id} when {free} has happened, which cannot be undone",
                    f"let {free} come after {step_id}",
                )
        loose = [s for s in gated if s not in subject.before[free] and free not in subject.before[s]]
        if loose:
            wanted = [*subject.steps[free].after, *(s for s in loose if s not in subject.steps[free].after)]
            yield codes.GATE_AFTER_PIVOT(
                f"steps.{free}.after",
                f"{free} cannot be undone and does not wait for {', '.join(loose)}, to which somebody may say no",
                f"after: [{', '.join(wanted)}]",
            )
