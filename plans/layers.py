"""A plan in layers: what may happen at the same time stands side by side. Total: circles end up in the last layer."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from plans.language import Plan, Step


def layers(plan: Plan, needs: Mapping[str, Collection[str]]) -> list[list[Step]]:
    """The steps by depth: each in the first layer in which all that it needs is above it."""
    left = list({step.id: step for step in plan.steps}.values())
    known = {step.id for step in left}
    placed: set[str] = set()
    found: list[list[Step]] = []
    while left:
        ready = [step for step in left if (set(needs.get(step.id, ())) & known) <= placed] or left
        found.append(ready)
        placed |= {step.id for step in ready}
        left = [step for step in left if step.id not in placed]
    return found


def direct_needs(needs: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """The needs without those that follow from others: the lines worth drawing."""
    above: dict[str, set[str]] = {}

    def all_above(step_id: str) -> set[str]:
        if step_id not in above:
            above[step_id] = set()  # stands while it is worked out, so that a circle ends
            above[step_id] = set(needs.get(step_id, ())).union(*(all_above(n) for n in needs.get(step_id, ())))
        return above[step_id]

    return {
        step_id: sorted(n for n in wanted if not any(n in all_above(other) for other in wanted if other != n))
        for step_id, wanted in needs.items()
    }
