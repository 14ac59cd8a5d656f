"""What a new revision, or going back to the one before, does to a run's state. Pure: parts of the fold's transitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from governance import events as ev
from governance.effects import UNDO
from graphs.fold import RunFold, Standing, StepFold


def revised(state: RunFold, written: ev.PlanWritten) -> RunFold:
    """The state when ``written`` is about to become the current revision."""
    state = _free_of_waits(replace(state, latest=max(state.latest, written.revision), vouched=vouched(state, written)))
    if state.written and state.checked and _is_sound(state) and not state.unsettled:
        state = replace(state, standing=Standing(state.written, state.checked, state.dropped))
    if not written.instead_of or state.unsettled:
        return state
    dropped = state.dropped | set(written.instead_of)
    return taken_up(replace(state, dropped=dropped, replans=state.replans + 1, repairs=0), written.again)


def vouched(state: RunFold, written: ev.PlanWritten) -> Mapping[str, Mapping[str, Any]]:
    """What people wrote themselves, with the step that ``written`` edits, if a person did."""
    edited = written.decision.subject
    if not written.author.startswith("person:"):
        return state.vouched
    step = next((step for step in written.plan.get("steps", ()) if step.get("id") == edited), None)
    return {**state.vouched, edited: step.get("args", {})} if step else state.vouched


def _is_sound(state: RunFold) -> bool:
    return state.checked is not None and state.checked.ok and state.checked.revision == state.revision


def settled_on(state: RunFold) -> RunFold:
    """The state with the last revision that could be run as the current one."""
    if not state.unsettled or state.standing is None:
        return state
    back = state.standing
    return replace(state, written=back.written, checked=back.checked, dropped=back.dropped)


def taken_up(state: RunFold, step_ids: Iterable[str]) -> RunFold:
    """The state with these steps, of the plan or undos, begun anew after an end."""
    steps, undos = dict(state.steps), dict(state.undos)
    for step_id in step_ids:
        known = undos if step_id.startswith(UNDO) else steps
        old = state.step(step_id)
        # The intent stays: key and grant belong to the step's whole life, and a late effect must still be found.
        known[step_id] = StepFold(
            life=old.life + 1,
            intent=old.intent,
            doubt=old.doubt,
            began_at=old.began_at,
            addresses=old.addresses,
        )
    return replace(state, steps=steps, undos=undos)


def _free_of_waits(state: RunFold) -> RunFold:
    """Steps that were not begun wait for what the new revision says, not for what the old one said."""
    steps = {
        step_id: replace(step, until=None, waiting_why="")
        if step.until and not step.intent and not step.ended
        else step
        for step_id, step in state.steps.items()
    }
    return replace(state, steps=steps)
