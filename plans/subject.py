"""A plan laid out for checking: its outline, with the request's values in scope."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from plans.checked import Premises
from plans.expressions import Expression
from plans.implication import Condition, Known, conjuncts
from plans.language import Plan, Step
from plans.loops import ITEM, Loop, item_shape
from plans.outline import Needs, Outline, Use
from plans.references import Scope
from plans.schemas import Interface, Shape

Argument = tuple[str, str]
"""A step's id, and the name of one of its arguments."""


@dataclass(frozen=True)
class Subject:
    """What the checks look at: an outline's words (see there), the premises, and what may be referred to.

    ``inside`` is what may be referred to in steps with ``for_each``; ``sure`` are arguments that are known to fit.
    """

    premises: Premises
    plan: Plan
    steps: Mapping[str, Step]
    tools: Mapping[str, Interface]
    expressions: Mapping[str, Mapping[str, Expression]]
    whens: Mapping[str, Condition]
    scope: Scope
    needs: Needs
    references: Needs
    before: Needs
    cycles: tuple[tuple[str, ...], ...]
    loops: Mapping[str, Loop]
    uses: Mapping[str, tuple[Use, ...]]
    literals: Mapping[str, Mapping[str, tuple[str | float, ...]]]
    inside: Mapping[str, Scope]
    sure: frozenset[Argument]

    def scope_of(self, step_id: str) -> Scope:
        """What a step's arguments and condition may refer to."""
        return self.inside.get(step_id, self.scope)

    def list_known(self, step_id: str) -> Known:
        """What is known where a step's list is looked at: its condition, unless that is asked for each item."""
        return _list_known(self.whens.get(step_id), self.loops[step_id])

    def later_than(self, step_id: str) -> frozenset[str]:
        """The step itself and all that surely come after it: what it cannot refer to."""
        return frozenset({step_id} | {other for other, before in self.before.items() if step_id in before})


def lay_out(outline: Outline, premises: Premises, sure: frozenset[Argument]) -> Subject:
    """The subject of an outline under these premises."""
    return _laid_out(outline, premises, replace(outline.scope, request=premises.request, seen={}), sure)


def unasked(outline: Outline, premises: Premises) -> Subject:
    """The subject as it is for every request: of none more is known than its schema."""
    return _laid_out(outline, premises, outline.scope, frozenset())


def _laid_out(outline: Outline, premises: Premises, scope: Scope, sure: frozenset[Argument]) -> Subject:
    inside = {
        step_id: _inside(scope, item_shape(loop.items, scope, _list_known(outline.whens.get(step_id), loop)))
        for step_id, loop in outline.loops.items()
    }
    return Subject(
        premises,
        outline.plan,
        outline.steps,
        outline.tools,
        outline.expressions,
        outline.whens,
        scope,
        outline.needs,
        outline.references,
        outline.before,
        outline.cycles,
        outline.loops,
        outline.uses,
        outline.literals,
        inside,
        sure,
    )


def _list_known(when: Condition | None, loop: Loop) -> Known:
    return () if loop.narrows else conjuncts(when)


def _inside(scope: Scope, item: Shape | None) -> Scope:
    if item is None:
        return replace(scope, broken=scope.broken | {ITEM}, seen={})
    return replace(scope, roots={**scope.roots, ITEM: item}, seen={})
