"""Readiness: what can be done next in a plan, as a pure look at the fold."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from governance.canonical import effect_key
from governance.conditions import Truth
from governance.effects import Failure, FailureClass, StepStatus
from governance.policy import Ruling, RulingKind
from governance.reviews import ReviewKind
from graphs.choosing import AskAgent, Choose
from graphs.deferral import INSIDE, Await, Over, called_back, inside, waits_on
from graphs.engine import Engine
from graphs.expansion import Expand, next_of_loop
from graphs.fold import RunFold, StepFold
from graphs.forms import AskForm
from graphs.gates import Gate, standing
from graphs.ruling import RuleAgain, ruling_on
from graphs.scope import scope_of, with_item
from plans.checked import CheckedPlan
from plans.language import Step, step_and_item
from plans.resolve import Unresolved, resolve_args, should_run
from plans.timing import earliest
from tools.contract import Order


@dataclass(frozen=True)
class Start:
    """Perform this now."""

    order: Order


@dataclass(frozen=True)
class Ask:
    """Put this question."""

    step: Step
    args: dict[str, Any]
    ruling: Ruling
    review_id: str


@dataclass(frozen=True)
class End:
    """Journal that this step is over."""

    step: str
    tool: str
    status: StepStatus
    args: dict[str, Any] = field(default_factory=dict)
    output: dict[str, Any] | None = None
    found: bool = False
    failure: Failure | None = None
    why: str = ""


@dataclass(frozen=True)
class Hold:
    """Journal that this step waits for its moment. ``order`` is what then starts, if nothing changes meanwhile."""

    order: Order
    until: datetime


Move = Start | Ask | End | Await | AskForm | Hold | Expand | RuleAgain | Choose | AskAgent


@dataclass(frozen=True)
class _Look:
    """What one look at all steps shares. ``over``: the steps that others need not wait for any more."""

    engine: Engine
    state: RunFold
    plan: CheckedPlan
    over: frozenset[str]
    scope: Mapping[str, Any]


def next_moves(engine: Engine, state: RunFold, plan: CheckedPlan, *, busy: Collection[str]) -> Iterator[Move]:
    """Every move that is possible now, in the plan's order. Steps in ``busy`` have a call in flight."""
    over = frozenset(step_id for step_id, known in state.steps.items() if known.satisfied)
    look, doubted = _Look(engine, state, plan, over, scope_of(state)), _asked_outcomes(state)
    for step in plan.plan.steps:
        known = state.step(step.id)
        if step.id in busy or known.ended is not None or step.id in doubted or _not_yet(engine, known):
            continue
        if known.open:
            yield Start(_order(engine, state, step, known))
        elif plan.references[step.id] <= over and (move := _begin(look, step)) is not None:
            yield move


def settling(engine: Engine, state: RunFold, plan: CheckedPlan, *, busy: Collection[str]) -> Iterator[Order]:
    """For a run that is stopping: the orders that find out what became of open intents."""
    doubted = _asked_outcomes(state)
    for step in plan.plan.steps:
        known = state.step(step.id)
        waits = known.unsure and _not_yet(engine, known)  # what was surely not sent has nothing to wait for
        waits = waits_on(engine, state, known) if known.deferred else waits
        if known.open and step.id not in busy and not waits and step.id not in doubted:
            yield _order(engine, state, step, known, settle_only=True)


def _begin(look: _Look, step: Step) -> Move | None:
    """A step without an intent, and with all that it refers to. Its question is put now; it starts when all it needs is over."""
    engine, state, plan = look.engine, look.state, look.plan
    ready = plan.needs[step.id] <= look.over
    if step.for_each is not None:
        over = next_of_loop(state, step, ready=ready)
        return End(step.id, step.tool, **vars(over)) if isinstance(over, Over) else over
    scope = with_item(look.scope, state, step.id)
    if should_run(step, scope) is not Truth.YES:
        return End(step.id, step.tool, StepStatus.SKIPPED, why="its condition does not hold") if ready else None
    try:
        args = resolve_args(step, scope, plan.tools[step.tool])
    except Unresolved as error:
        failure = Failure(failure=FailureClass.PERMANENT, code="unresolved", message=str(error))
        return End(step.id, step.tool, StepStatus.FAILED, failure=failure) if ready else None
    ruling = ruling_on(engine, state, plan, step, args)
    if isinstance(ruling, RuleAgain):
        return ruling
    if ruling.kind is RulingKind.FORBID:
        return End(step.id, step.tool, StepStatus.REFUSED, args, why=f"{ruling.rule}: {ruling.because}")
    return _through_gate(look, step, args, ruling, ready=ready)


def _through_gate(look: _Look, step: Step, args: dict[str, Any], ruling: Ruling, *, ready: bool) -> Move | None:
    engine, state = look.engine, look.state
    gate = standing(state, step, args, ruling)
    if gate.gate is Gate.ASK:
        return Ask(step, args, ruling, gate.review_id)
    if gate.gate is Gate.REFUSED:
        return End(step.id, step.tool, StepStatus.REFUSED, args, why=gate.why)
    if gate.gate is Gate.ASKED or not ready:
        return None
    known = state.step(step.id)
    try:
        held = earliest(step, with_item(look.scope, state, step.id))
    except ValueError as error:
        failure = Failure(failure=FailureClass.PERMANENT, code="no_moment", message=str(error))
        return End(step.id, step.tool, StepStatus.FAILED, args, failure=failure)
    order = Order(
        run_id=state.run_id,
        step=step.id,
        tool=engine.tools[step.tool],
        args=args,
        key=effect_key(state.run_id, *step_and_item(step.id)),
        attempts=known.attempts,
        grant=gate.grant,
        **called_back(engine, state.run_id, step.id, known, engine.tools[step.tool]),
    )
    if held is not None and held > engine.clock.now():
        return Hold(order, held)
    if step.tool in INSIDE and not (state.admitted and state.admitted.dry):
        return _inside(engine, state, step, args)
    return Start(order)


def _inside(engine: Engine, state: RunFold, step: Step, args: dict[str, Any]) -> Move | None:
    found = inside(engine, state, step, args)
    if isinstance(found, Over):
        return End(step.id, step.tool, found.status, args, found.output, failure=found.failure, why=found.why)
    return found


def _order(engine: Engine, state: RunFold, step: Step, known: StepFold, *, settle_only: bool = False) -> Order:
    intent = known.intent
    if intent is None:
        raise ValueError(f"step {step.id} has no intent")
    return Order(
        run_id=state.run_id,
        step=step.id,
        tool=engine.tools[intent.tool],
        args=intent.args,
        key=intent.key,
        intent=intent,
        attempts=known.attempts,
        ambiguous=known.unsure,
        settle_only=settle_only,
        deadline=known.sent_at + engine.tools[intent.tool].timeout if known.sent_at else None,
        overdue=known.deferred,
        **called_back(engine, state.run_id, step.id, known, engine.tools[intent.tool]),
    )


def _not_yet(engine: Engine, known: StepFold) -> bool:
    return known.until is not None and known.until > engine.clock.now()


def _asked_outcomes(state: RunFold) -> frozenset[str]:
    """The steps of which a person is asked whether they happened."""
    return frozenset(card.step for card in state.open_reviews if card.kind is ReviewKind.OUTCOME)
