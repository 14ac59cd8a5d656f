"""Revisions of a run's plan: the current one as something that may be dispatched, and the one an edit makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from governance import events as ev
from governance.canonical import digest
from governance.errors import Corrupt
from governance.findings import Finding
from governance.reviews import ReviewCard
from graphs.budgets import budget_of
from graphs.engine import Engine
from graphs.fold import RunFold
from graphs.revisions import vouched
from plans.begun import begun_digest
from plans.checked import Checked, CheckedPlan
from plans.checker import check
from plans.language import Plan
from plans.recall import recall
from playbooks.model import Playbook


@dataclass(frozen=True)
class Drift:
    """Why a pinned plan cannot run on this installation."""

    sentence: str


def playbook_of(engine: Engine, state: RunFold) -> Playbook | Drift:
    """The playbook that the run pinned."""
    if state.admitted is None:
        raise Corrupt(f"run {state.run_id} has no admission")
    playbook = engine.playbooks.get(state.admitted.playbook)
    if playbook is None:
        return Drift(f"the playbook {state.admitted.playbook} is not installed any more")
    if playbook.digest != state.admitted.playbook_digest:
        return Drift(f"the playbook {playbook.id} was changed after this run began; give the change a new version")
    return playbook


def current(engine: Engine, state: RunFold) -> CheckedPlan | Drift:
    """The current revision, if every tool that it pins is still what it was."""
    if state.written is None or state.checked is None or not state.checked.ok:
        raise Corrupt(f"run {state.run_id} has no checked plan")
    specs = engine.specs
    for tool_id, pinned in state.checked.tools.items():
        if tool_id not in specs:
            return Drift(f"the tool {tool_id} is not installed any more")
        if specs[tool_id].digest != pinned:
            return Drift(f"the tool {tool_id} was changed after this plan was checked; give the change a new version")
    return recall(state.written.plan, state.checked.plan_digest, state.checked.rulings, specs)


def check_plan(
    engine: Engine, state: RunFold, document: dict[str, Any], *, begun_in: RunFold | None = None
) -> tuple[ev.PlanChecked, Checked]:
    """Check a document as the revision that ``state`` has. ``begun_in``: the fold before, whose begun steps must stay."""
    playbook = playbook_of(engine, state)
    requester = engine.directory.find(state.admitted.requester) if state.admitted else None
    if isinstance(playbook, Drift) or requester is None:
        sentence = (
            playbook.sentence if isinstance(playbook, Drift) else "the requester is not in the directory any more"
        )
        finding = Finding(code="run-drift", place="run", sentence=sentence)
        return ev.PlanChecked(
            revision=state.revision, ok=False, plan_digest=digest(document), findings=(finding,)
        ), Checked((finding,), (), None)
    before = begun_in or state
    budget = budget_of(engine, state)
    premises = replace(
        engine.premises(playbook, dict(state.request or {}), requester, begun=_begun(before), vouched=by_people(state)),
        kept=_kept(before),
        dropped=before.dropped,
        max_steps=budget.steps,
        max_money=budget.money.exact if budget.money else None,
    )
    name = digest(document)
    checked = check(document, premises, known_as=name)
    specs = engine.specs
    used = {step.tool for step in checked.plan.plan.steps} if checked.plan else set()
    used |= {undo.tool for tool_id in used if (undo := specs[tool_id].undo) is not None}
    event = ev.PlanChecked(
        revision=state.revision,
        ok=checked.plan is not None,
        plan_digest=name,
        tools={tool_id: specs[tool_id].digest for tool_id in sorted(used)},
        findings=checked.findings,
        rulings=checked.rulings,
    )
    return event, checked


def by_people(state: RunFold) -> Mapping[str, Mapping[str, Any]]:
    """The arguments that people wrote, by step; with those of the revision as it stands, which may not be folded yet."""
    written = state.written
    return vouched(state, written) if written is not None else state.vouched


def edited(state: RunFold, card: ReviewCard, args: dict[str, Any]) -> dict[str, Any]:
    """The plan document in which the reviewed step has these arguments instead."""
    if state.written is None:
        raise Corrupt(f"run {state.run_id} has a review and no plan")
    steps = [{**step, "args": args} if step["id"] == card.step else step for step in state.written.plan["steps"]]
    return {**state.written.plan, "steps": steps}


def as_next(state: RunFold, written: ev.PlanWritten) -> RunFold:
    """The fold as if ``written`` had been journaled: what its check starts from."""
    return replace(state, written=written)


def _source(state: RunFold) -> Plan | None:
    """The plan whose steps have begun: the last one that could be run."""
    written = state.standing.written if state.unsettled and state.standing else state.written
    return Plan.model_validate(written.plan) if written is not None else None


def _begun(state: RunFold) -> dict[str, str]:
    begun = {step_id for step_id, step in state.steps.items() if step.intent or step.ended} | state.expanded.keys()
    source = _source(state) if begun else None
    return {step.id: begun_digest(step) for step in source.steps if step.id in begun} if source else {}


def _kept(state: RunFold) -> frozenset[str]:
    """Steps that a revision may not drop: done, skipped, or on their way."""
    stands = {step_id for step_id, step in state.steps.items() if step.open or step.satisfied} | state.expanded.keys()
    source = _source(state) if stands else None
    return frozenset(step.id for step in source.steps if step.id in stands) if source else frozenset()
