"""What a journal says was checked, as a plan that may be dispatched again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from governance.conditions import references as condition_references
from governance.policy import Ruling
from plans.checked import CheckedPlan
from plans.expressions import parse, references
from plans.language import RESERVED, Plan, Step
from tools.contract import ToolSpec


def step_references(step: Step) -> frozenset[str]:
    """The ids of the steps that arguments and ``when`` refer to."""
    named = {ref.root for value in step.args.values() for ref in references(parse(value))}
    named |= {path.partition(".")[0] for path in condition_references(step.when)}
    return frozenset(named - RESERVED)


def needs_of(step: Step) -> frozenset[str]:
    """The ids of the steps that this one waits for."""
    return step_references(step) | frozenset(step.after)


def recall(plan: Plan, rulings: Sequence[Ruling], tools: Mapping[str, ToolSpec]) -> CheckedPlan:
    """The checked plan of a revision whose check is in the journal with ``ok``. ``tools`` must hold all that it uses."""
    return CheckedPlan(
        plan=plan,
        needs={step.id: needs_of(step) for step in plan.steps},
        rulings={ruling.step: ruling for ruling in rulings},
        tools={step.tool: tools[step.tool] for step in plan.steps},
    )
