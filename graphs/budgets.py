"""What a run has used up of its budget, and why it may not start more."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal

from governance.budgets import Budget, raised
from governance.effects import EffectClass
from governance.runs import SetTimer, SideRow
from graphs.engine import Engine
from graphs.expansion import Expand, instances
from graphs.fold import RunFold
from plans.spending import money
from tools.contract import Order

WAY_ON = "Whoever answers for the run may resume it with more"


def budget_of(engine: Engine, state: RunFold) -> Budget:
    """The playbook's budget and every raise since; the widest there is where the playbook is not installed any more."""
    playbook = engine.playbooks.get(state.admitted.playbook) if state.admitted else None
    if playbook is None:
        return Budget()
    budget = playbook.limits
    for more in state.more:
        budget = raised(budget, more)
    return budget


def spent(engine: Engine, state: RunFold, besides: Collection[Order] = ()) -> Decimal:
    """The amounts of effects that were intended and did not surely fail, and of orders whose intent is not there yet.

    Undos are not counted, and give nothing back.
    """
    total = Decimal(0)
    for step in state.steps.values():
        wasted = step.ended is not None and step.ended.status.value in {"failed", "refused", "stopped"}
        if step.intent is None or wasted:
            continue
        tool = engine.tools.get(step.intent.tool)
        total += money(step.intent.args.get(tool.amount)) if tool else Decimal(0)
    return total + sum((_amount(order) for order in besides if state.step(order.step).intent is None), Decimal(0))


def over_if_started(engine: Engine, state: RunFold, order: Order, flying: Collection[Order]) -> str:
    """Why an order that has no intent yet may not start, or an empty text. ``flying`` are the orders in flight."""
    budget = budget_of(engine, state)
    unsaid = [each for each in flying if state.step(each.step).intent is None]
    calls = state.calls + len(unsaid)
    if calls >= budget.calls:
        return f"The run's budget of {budget.calls} calls is used up. {WAY_ON} (calls)."
    amount = _amount(order)
    if budget.money is not None and amount:
        total = spent(engine, state, flying) + amount
        if total > budget.money.exact:
            return f"With {order.step} the run would spend {total}, and its budget is {budget.money}. {WAY_ON} (money)."
    return ""


def over_if_expanded(engine: Engine, state: RunFold, move: Expand) -> str:
    """Why a step may not be run for so many items, or an empty text."""
    budget, there = budget_of(engine, state), len(state.step_ids) + len(instances(state, state.step_ids))
    if there + len(move.items) <= budget.steps:
        return ""
    steps = there + len(move.items)
    return f"With the {len(move.items)} items of {move.step} the run would have {steps} steps, and its budget is {budget.steps}. {WAY_ON} (steps)."


def over_time(engine: Engine, state: RunFold) -> str:
    """Why nothing new may start at this hour, or an empty text."""
    ends = time_is_up(engine, state)
    if ends is None or engine.clock.now() < ends:
        return ""
    hours = budget_of(engine, state).hours or 0
    return f"The run's budget of {hours:g} hours is used up. {WAY_ON} (hours)."


def time_is_up(engine: Engine, state: RunFold) -> datetime | None:
    """When the run's time is over; None: never."""
    hours = budget_of(engine, state).hours
    return state.admitted_at + timedelta(hours=hours) if state.admitted_at and hours is not None else None


def time_timer(engine: Engine, state: RunFold) -> list[SideRow]:
    """The durable timer that wakes a run when its time is over.

    Only where somebody named the hours: the limit that every run has is looked at whenever the run is, and no timer
    needs to stand for it.
    """
    playbook = engine.playbooks.get(state.admitted.playbook) if state.admitted else None
    named = playbook is not None and (playbook.budget.hours is not None or any(more.hours for more in state.more))
    ends = time_is_up(engine, state)
    return [SetTimer("budget:hours", ends)] if named and ends is not None else []


def _amount(order: Order) -> Decimal:
    reads = order.tool.effect is EffectClass.READ or not order.tool.amount
    return Decimal(0) if reads else money(order.args.get(order.tool.amount))
