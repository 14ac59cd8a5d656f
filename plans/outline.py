"""A document as it is by itself: its steps with their tools, parsed values, types, needs and order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from governance.conditions import problems
from governance.conditions import references as condition_references
from governance.findings import Finding
from plans.answers import output_of
from plans.documents import read
from plans.expressions import Expression, Ref, parse, references
from plans.implication import Condition
from plans.language import Plan, Step
from plans.literals import listed, literals
from plans.loops import ITEM, Loop, collected, loop_of
from plans.recall import step_references
from plans.references import Scope
from plans.schemas import Interface, Shape, interface
from tools.contract import ToolSpec

Needs = Mapping[str, frozenset[str]]
Use = tuple[str, str, str]
"""An argument, the root that it refers to, and the field that follows."""


@dataclass(frozen=True)
class Outline:
    """A document, read. Mappings are by step id.

    ``findings`` are those of its form; ``whens`` has the conditions that are well formed; ``scope`` what may be referred to,
    without a request's values; ``needs`` the steps of the plan that each waits for; ``references`` those that it refers
    to; ``before`` all that surely come before it (empty for steps in a cycle); ``cycles`` the circles, each as a list of
    ids; ``loops`` the steps with ``for_each``; ``uses`` what the arguments refer to, an item being of what its list is of;
    ``literals`` what is written out in those arguments in which something is.
    """

    plan: Plan
    findings: tuple[Finding, ...]
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


@dataclass(frozen=True)
class Unreadable:
    """A document in which there is nothing to check, and why."""

    findings: tuple[Finding, ...]


def draw(
    document: Any, max_steps: int, specs: Mapping[str, ToolSpec], schema: Mapping[str, Any]
) -> Outline | Unreadable:
    """The outline of any value, in which steps use tools of ``specs`` and refer to a request of ``schema``."""
    reading = read(document, max_steps)
    plan = reading.plan
    if plan is None:
        return Unreadable(reading.findings)
    steps = {step.id: step for step in plan.steps}
    tools = {step.id: interface(specs[step.tool]) for step in plan.steps if step.tool in specs}
    expressions = {step.id: step.expressions for step in plan.steps}
    whens = {step.id: step.when for step in plan.steps if step.when is not None and not problems(step.when)}
    loops = {step.id: loop for step in plan.steps if (loop := loop_of(step)) is not None}
    outputs = {step_id: _output(steps[step_id], tool, loops.get(step_id)) for step_id, tool in tools.items()}
    scope = Scope(
        roots={**outputs, "request": Shape(schema, schema)},
        # A condition on items skips some of them, and never the step.
        whens={step_id: when for step_id, when in whens.items() if step_id not in loops or not loops[step_id].narrows},
        broken=reading.broken | (steps.keys() - tools.keys()),
    )
    needs = {step.id: frozenset(_needs(step, expressions[step.id], steps)) for step in plan.steps}
    cycles = tuple(_cycles(needs))
    return Outline(
        plan=plan,
        findings=reading.findings,
        steps=steps,
        tools=tools,
        expressions=expressions,
        whens=whens,
        scope=scope,
        needs=needs,
        references={step.id: step_references(step) for step in plan.steps},
        before=_before(needs, cycles),
        cycles=cycles,
        loops=loops,
        uses={step.id: tuple(_uses(expressions[step.id], loops.get(step.id))) for step in plan.steps},
        literals={step.id: _literals(step) for step in plan.steps},
    )


def _output(step: Step, tool: Interface, loop: Loop | None) -> Shape:
    return collected(output_of(step, tool), loop.most) if loop is not None else output_of(step, tool)


def _needs(step: Step, args: Mapping[str, Expression], steps: Mapping[str, Step]) -> Iterator[str]:
    named = [ref.root for value in args.values() for ref in references(value)]
    beside = [step.not_before] + ([step.for_each.items, step.for_each.key] if step.for_each else [])
    named += [ref.root for value in beside for ref in references(parse(value))]
    named += [path.partition(".")[0] for path in condition_references(step.when)]
    yield from (name for name in (*named, *step.after) if name in steps)


def _uses(args: Mapping[str, Expression], loop: Loop | None) -> Iterator[Use]:
    for name, value in args.items():
        for ref in sources(value, loop):
            yield name, ref.root, field_of(ref)


def sources(value: Expression, loop: Loop | None) -> Iterator[Ref]:
    """What a value refers to. An item is of what its list is of."""
    for ref in references(value):
        yield from references(loop.items) if loop and ref.root == ITEM else (ref,)


def field_of(ref: Ref) -> str:
    """The field that follows the root of a reference, or an empty text."""
    return ref.path.partition(".")[2].partition(".")[0]


def _literals(step: Step) -> dict[str, tuple[str | float, ...]]:
    found = {name: (*literals(value), *listed(step, name)) for name, value in step.args.items()}
    return {name: written for name, written in found.items() if written}


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
