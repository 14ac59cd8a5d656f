"""What a journal says was checked, as a plan that may be dispatched again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from governance.conditions import references as condition_references
from governance.policy import Ruling
from plans.checked import CheckedPlan
from plans.expressions import parse, references
from plans.language import RESERVED, Plan, Step
from tools.contract import ToolSpec


def step_references(step: Step) -> frozenset[str]:
    """The ids of the steps that arguments, ``when`` and ``for_each`` refer to."""
    each = [parse(step.for_each.items), parse(step.for_each.key)] if step.for_each else []
    named = {ref.root for value in (*step.expressions.values(), *each) for ref in references(value)}
    named |= {path.partition(".")[0] for path in condition_references(step.when)}
    return frozenset(named - RESERVED)


def needs_of(step: Step) -> frozenset[str]:
    """The ids of the steps that this one waits for."""
    held = {ref.root for ref in references(parse(step.not_before))} - RESERVED
    return step_references(step) | frozenset(step.after) | held


@dataclass(frozen=True)
class _Written:
    """A document under its digest: of one digest there is one."""

    digest: str
    document: Mapping[str, Any] = field(compare=False)


@dataclass(frozen=True)
class _Remembered:
    plan: Plan
    needs: Mapping[str, frozenset[str]]
    references: Mapping[str, frozenset[str]]


@lru_cache(maxsize=256)
def _remembered(written: _Written) -> _Remembered:
    plan = Plan.model_validate(written.document)
    needs = {step.id: needs_of(step) for step in plan.steps}
    return _Remembered(plan, needs, {step.id: step_references(step) for step in plan.steps})


def recall(
    document: Mapping[str, Any], digest: str, rulings: Sequence[Ruling], tools: Mapping[str, ToolSpec]
) -> CheckedPlan:
    """The checked plan of a revision whose check is in the journal with ``ok``, and with the document's ``digest``.

    ``tools`` must hold all that it uses.
    """
    known = _remembered(_Written(digest, document))
    return CheckedPlan(
        plan=known.plan,
        needs=known.needs,
        references=known.references,
        rulings={ruling.step: ruling for ruling in rulings},
        tools={step.tool: tools[step.tool] for step in known.plan.steps},
    )
