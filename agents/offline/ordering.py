"""What an argument does not say: conditions of support steps, goals in order, irreversible effects last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from agents.offline.drafting import Draft, DraftStep


def put_in_order(draft: Draft, goal_steps: Mapping[str, str]) -> None:
    """Set ``when`` of support steps and ``after`` of all, as few as do it."""
    _conditions(draft)
    for step in draft.steps.values():
        wanted = [goal_steps[name] for goal in step.goals for name in goal.after if name in goal_steps]
        _wait_for(draft, step, wanted)
    final = [step for step in draft.steps.values() if step.act.is_effect and step.act.spec.irreversible]
    undoable = [step.id for step in draft.steps.values() if step.act.is_effect and not step.act.spec.irreversible]
    for step in final:
        _wait_for(draft, step, undoable)


def _conditions(draft: Draft) -> None:
    """A support step runs when a step that needs it does; consumers come later in the list than what they need."""
    users: dict[str, list[DraftStep]] = {}
    for step in draft.steps.values():
        for other in step.needs():
            users.setdefault(other, []).append(step)
    settled: set[str] = {step.id for step in draft.steps.values() if not step.support}
    waiting = [step for step in draft.steps.values() if step.support]
    while waiting:
        ready = [step for step in waiting if all(user.id in settled for user in users.get(step.id, []))]
        for step in ready or waiting:
            step.when = _any_of(user.when for user in users.get(step.id, []))
            settled.add(step.id)
        waiting = [step for step in waiting if step.id not in settled]


def _any_of(conditions: Iterable[dict[str, Any] | None]) -> dict[str, Any] | None:
    """None when one of them always holds; the one there is; or all of them joined."""
    distinct: list[dict[str, Any]] = []
    for condition in conditions:
        if condition is None:
            return None
        if condition not in distinct:
            distinct.append(condition)
    if not distinct:
        return None
    return distinct[0] if len(distinct) == 1 else {"$any": distinct}


def _wait_for(draft: Draft, step: DraftStep, others: Iterable[str]) -> None:
    """Let ``step`` come after ``others``: leaves out what it waits for anyhow, and what waits for it."""
    wanted = [
        other
        for other in dict.fromkeys(others)
        if not draft.reaches(other, step.id) and not draft.reaches(step.id, other)
    ]
    last = [other for other in wanted if not any(other != later and draft.reaches(later, other) for later in wanted)]
    step.after.extend(last)
