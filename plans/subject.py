"""A plan laid out for checking: its steps with their tools, parsed values, types, needs and order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter

from governance.conditions import problems
from governance.conditions import references as condition_references
from plans.answers import output_of
from plans.checked import Premises
from plans.documents import Reading
from plans.expressions import Expression, parse, references
from plans.implication import Condition, Known, conjuncts
from plans.language import Plan, Step
from plans.loops import ITEM, Loop, collected, item_shape, loop_of
from plans.references import Scope
from plans.schemas import Interface, Shape, interface

Needs = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Subject:
    """What the checks look at. Mappings are by step id.

    ``whens`` has the conditions that are well formed; ``needs`` the steps of the plan that each waits for; ``before``
    all that surely come before it (empty for steps in a cycle); ``cycles`` the circles, each as a list of ids;
    ``loops`` the steps with ``for_each``, and ``inside`` what may be referred to in them.
    """

    premises: Premises
    plan: Plan
    steps: Mapping[str, Step]
    tools: Mapping[str, Interface]
    expressions: Mapping[str, Mapping[str, Expression]]
    whens: Mapping[str, Condition]
    scope: Scope
    needs: Needs
    before: Needs
    cycles: tuple[tuple[str, ...], ...]
    loops: Mapping[str, Loop]
    inside: Mapping[str, Scope]

    def scope_of(self, step_id: str) -> Scope:
        """What a step's arguments and condition may refer to."""
        return self.inside.get(step_id, self.scope)

    def list_known(self, step_id: str) -> Known:
        """What is known where a step's list is looked at: its condition, unless that is asked for each item."""
        return _list_known(self.whens.get(step_id), self.loops[step_id])

    def later_than(self, step_id: str) -> frozenset[str]:
        """The step itself and all that surely come after it: what it cannot refer to."""
        return frozenset({step_id} | {other for other, before in self.before.items() if step_id in before})


def lay_out(plan: Plan, reading: Reading, premises: Premises) -> Subject:
    """The subject of a plan that was read."""
    steps = {step.id: step for step in plan.steps}
    tools = {step.id: interface(premises.tools[step.tool]) for step in plan.steps if step.tool in premises.tools}
    expressions = {step.id: step.expressions for step in plan.steps}
    whens = {step.id: step.when for step in plan.steps if step.when is not None and not problems(step.when)}
    request = Shape(premises.request_schema, premises.request_schema)
    loops = {step.id: loop for step in plan.steps if (loop := loop_of(step)) is not None}
    outputs = {
        step_id: collected(output_of(steps[step_id], tool), loops[step_id].most)
        if step_id in loops
        else output_of(steps[step_id], tool)
        for step_id, tool in tools.items()
    }
    scope = Scope(
        roots={**outputs, "request": request},
        # A condition on items skips some of them, and never the step.
        whens={step_id: when for step_id, when in whens.items() if step_id not in loops or not loops[step_id].narrows},
        broken=reading.broken | (steps.keys() - tools.keys()),
        request=premises.request,
    )
    needs = {step.id: frozenset(_needs(step, expressions[step.id], steps)) for step in plan.steps}
    cycles = tuple(_cycles(needs))
    inside = {
        step_id: _inside(scope, item_shape(loop.items, scope, _list_known(whens.get(step_id), loop)))
        for step_id, loop in loops.items()
    }
    before = _before(needs, cycles)
    return Subject(premises, plan, steps, tools, expressions, whens, scope, needs, before, cycles, loops, inside)


def _list_known(when: Condition | None, loop: Loop) -> Known:
    return () if loop.narrows else conjuncts(when)


def _inside(scope: Scope, item: Shape | None) -> Scope:
    if item is None:
        return replace(scope, broken=scope.broken | {ITEM}, seen={})
    return replace(scope, roots={**scope.roots, ITEM: item}, seen={})


def _needs(step: Step, args: Mapping[str, Expression], steps: Mapping[str, Step]) -> Iterator[str]:
    named = [ref.root for value in args.values() for ref in references(value)]
    beside = [step.not_before] + ([step.for_each.items, step.for_each.key] if step.for_each else [])
    named += [ref.root for value in beside for ref in references(parse(value))]
    named += [path.partition(".")[0] for path in condition_references(step.when)]
    yield from (name for name in (*named, *step.after) if name in steps)


def _cycles(needs: Needs) -> Iterator[tuple[str, ...]]:
    """A circle for each knot of steps, each beginning with its first step in the plan's order."""
    rest = dict(needs)
    order = {step_id: number for number, step_id in enumerate(needs)}
    while True:
        try:
            TopologicalSorter({k: v & rest.keys() for k, v in rest.items()}).prepare()
        except CycleError as error:
            circle = list(error.args[1][:-1])[::-1]
            start = min(range(len(circle)), key=lambda at: order[circle[at]])
            yield tuple(circle[start:] + circle[:start])
            for step_id in circle:
                del rest[step_id]
        else:
            return


def _before(needs: Needs, cycles: tuple[tuple[str, ...], ...]) -> Needs:
    knotted = {step_id for circle in cycles for step_id in circle}
    free = {step_id: wanted - knotted for step_id, wanted in needs.items() if step_id not in knotted}
    before: dict[str, frozenset[str]] = {step_id: frozenset() for step_id in knotted}
    for step_id in TopologicalSorter(free).static_order():
        before[step_id] = free[step_id].union(*(before[other] for other in free[step_id]))
    return before
