"""Does the plan stay within the run's budget of money, as far as that is known before the run?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from governance.conditions import Truth, evaluate
from governance.effects import EffectClass
from governance.findings import Finding
from plans import codes
from plans.loops import ITEM
from plans.repetition import known_items
from plans.resolve import evaluate_expression
from plans.subject import Subject


def spending_findings(subject: Subject) -> Iterator[Finding]:
    """Amounts that come to more than the budget, known from literals and from the request."""
    most = subject.premises.max_money
    if most is None:
        return
    amounts = {step_id: _amount(step_id, subject) for step_id in subject.tools}
    total = sum(amounts.values(), Decimal(0))
    if total > most:
        named = ", ".join(f"{step_id} {amount}" for step_id, amount in amounts.items() if amount)
        yield codes.OVER_BUDGET("steps", f"the plan spends {total}, and the budget is {most}: {named}", "spend less")


def money(value: Any) -> Decimal:
    """An amount as written in arguments; what is no number counts nothing."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else Decimal(0)


def _amount(step_id: str, subject: Subject) -> Decimal:
    """What a step surely spends."""
    spec = subject.tools[step_id].spec
    value = subject.expressions[step_id].get(spec.amount)
    when = subject.whens.get(step_id)
    scope: Mapping[str, Any] = {"request": subject.premises.request}
    if value is None or spec.effect is EffectClass.READ:
        return Decimal(0)
    if subject.steps[step_id].when is not None and (when is None or evaluate(when, scope) is not Truth.YES):
        return Decimal(0)
    if step_id not in subject.loops:
        return money(evaluate_expression(value, scope))
    items = known_items(step_id, subject) or ()
    return sum((money(evaluate_expression(value, {**scope, ITEM: item})) for item in items), Decimal(0))
