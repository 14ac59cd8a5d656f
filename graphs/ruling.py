"""Ruling again: a gate that stands because something was not known yet is looked at once more when it is.

The checker rules before the run, and what a read will find it cannot know; then it gates. When the arguments of the step
are there, and before anybody is asked, the policy has its say on them: it may let the step go, name other people, or
forbid. Once a question about the step was put, the answer decides and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from governance import events as ev
from governance.chain import Event
from governance.policy import Ruling, RulingKind
from governance.reviews import action_digest
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.live import LiveRun
from graphs.revision import Drift, by_people, playbook_of
from plans.checked import CheckedPlan
from plans.language import Step
from plans.late import rule_late


@dataclass(frozen=True)
class RuleAgain:
    """Journal that the policy says something else of a step, now that its arguments are known."""

    step: str
    args_digest: str
    ruling: Ruling


def ruling_on(
    engine: Engine, state: RunFold, plan: CheckedPlan, step: Step, args: dict[str, Any]
) -> Ruling | RuleAgain:
    """What the policy says of the step with exactly these arguments; or that this is to be journaled first."""
    before = plan.rulings[step.id]
    if before.kind is not RulingKind.GATE:
        return before
    bound = action_digest(step.tool, args)
    known = state.ruled.get(step.id)
    if known is not None and known.args_digest == bound:
        return known.ruling
    if any(review.card.step == step.id for review in state.reviews.values()):
        return before
    again = _again(engine, state, step, args)
    if again is None or _same(again, before):
        return before
    return RuleAgain(step.id, bound, again)


def note_ruling(run: LiveRun, move: RuleAgain) -> None:
    """The later ruling becomes the one that counts."""
    life, seq = run.state.step(move.step).life, run.state.seq + 1
    body = ev.StepRuled(step=move.step, args_digest=move.args_digest, ruling=move.ruling)
    run.note(Event(f"step:{move.step}:{life}:ruled:{seq}", body))


def _again(engine: Engine, state: RunFold, step: Step, args: dict[str, Any]) -> Ruling | None:
    playbook = playbook_of(engine, state)
    requester = engine.directory.find(state.admitted.requester) if state.admitted else None
    if isinstance(playbook, Drift) or requester is None or state.written is None:
        return None
    premises = engine.premises(playbook, dict(state.request or {}), requester, begun={}, vouched=by_people(state))
    name = state.checked.plan_digest if state.checked else ""
    found = rule_late(state.written.plan, premises, step.id, args, known_as=name)
    return found.model_copy(update={"step": step.id}) if found else None  # one of its items has an id of its own


def _same(one: Ruling, other: Ruling) -> bool:
    return (one.kind, one.rule, one.because, one.approvers) == (other.kind, other.rule, other.because, other.approvers)
