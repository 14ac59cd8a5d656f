"""Plans whose goals were named by a request: a person reviews them whole, unless every step only reads.

What a step will do stands on that screen where all its arguments are known before the run. Then a yes of somebody who
may approve the step is also a yes to it; every other gated step is asked about when its turn comes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from governance.effects import EffectClass
from governance.policy import Ruling, RulingKind
from governance.reviews import Grant, ReviewKind, action_digest
from graphs.engine import Engine
from graphs.fold import RunFold
from plans.checked import CheckedPlan
from plans.language import Step
from plans.resolve import Unresolved, resolve_args
from tools.inside import SYSTEM_NAME

_LONGEST = 600  # characters of a step's arguments: what is longer is not read, so no yes is taken from it


@dataclass(frozen=True)
class PlanQuestion:
    """What a review of a plan asks, why, and what it shows."""

    sentence: str
    because: str
    args: dict[str, Any]


def is_wanted(engine: Engine, state: RunFold, plan: CheckedPlan) -> bool:
    """Whether people must agree to the whole plan before anything of it happens."""
    playbook = engine.playbooks.get(state.admitted.playbook) if state.admitted else None
    if playbook is None or not playbook.open_goals:
        return False
    specs = plan.tools.values()
    return any(spec.effect is not EffectClass.READ or spec.system == SYSTEM_NAME for spec in specs)


def whole(state: RunFold, plan: CheckedPlan) -> PlanQuestion:
    """The question whether a plan may be run: ``steps`` has a line for each, ``actions`` the digest of each action that stands there whole."""
    scope = {"request": dict(state.request or {})}
    lines: list[str] = []
    actions: dict[str, str] = {}
    for step in plan.plan.steps:
        known = _known(step, plan, scope)
        args = json.dumps(known if known is not None else step.args, ensure_ascii=False, default=str)
        lines.append(f"{step.id}: {step.tool} {args}{_gate(plan.rulings.get(step.id))}. {step.reason}")
        if known is not None and len(args) <= _LONGEST:
            actions[step.id] = action_digest(step.tool, known)
    because = "its goals were named by the request, not by a playbook that people agreed on"
    return PlanQuestion("May Steward run this whole plan", because, {"steps": lines, "actions": actions})


def granted(state: RunFold, step: Step, args: dict[str, Any], ruling: Ruling) -> Grant | None:
    """The grant that a yes to the whole plan gave a gated step: its exact action stood there, and its approver said yes."""
    asked = state.checked.asks if state.checked and state.checked.revision == state.revision else ""
    review = state.reviews.get(asked)
    if review is None or review.card.kind is not ReviewKind.PLAN or state.checked is None:
        return None
    agreed = bool(review.grants) and review.grants == state.checked.plan_digest and review.by in ruling.approvers
    bound = action_digest(step.tool, args)
    if not agreed or review.card.args.get("actions", {}).get(step.id) != bound or state.step(step.id).life:
        return None
    return Grant(review_id=review.card.id, by=review.by, action_digest=bound)


def _known(step: Step, plan: CheckedPlan, scope: dict[str, Any]) -> dict[str, Any] | None:
    """The arguments, where nothing of them is only known later."""
    if plan.references[step.id] or step.for_each is not None:
        return None
    try:
        return resolve_args(step, scope, plan.tools[step.tool])
    except Unresolved:
        return None


def _gate(ruling: Ruling | None) -> str:
    return f" (for {' or '.join(ruling.approvers)} to decide)" if ruling and ruling.kind is RulingKind.GATE else ""
