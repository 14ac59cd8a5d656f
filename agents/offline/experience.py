"""What speaks for and against an action beside its words: figures that the run has read, and what people said before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agents.ports import Background
from governance.cases import Case
from governance.reviews import Choice
from tools.contract import ToolSpec

_SHOWN = 3
_MANY_LATE = 0.25  # of a supplier's orders: more than this is worth a look
_FEWEST = 3  # cases, before they speak against anything
_SOON = 2  # as much weight as so many cases has the rule without any


def concerns(tool: ToolSpec, args: Mapping[str, Any], background: Background) -> Iterator[str]:
    """What in figures and cases deserves a look, as parts of a sentence."""
    left, amount = _left(tool, args), _amount(tool, args)
    if left is not None and amount is not None and amount > left:
        yield f"it is {amount - left:,} more than the {left:,} that are left of the budget"
    for name, value in args.items():
        if _semantic(tool, name) == "SupplierStanding" and value != "known":
            yield f"the supplier is {value}"
    for fields in background.facts.values():
        for name, late in fields.items():
            what = name.removeprefix("late_")
            of_all = fields.get(what)
            counted = what != name and _is_number(late) and _is_number(of_all)
            if counted and of_all and late / of_all > _MANY_LATE:
                yield f"{late} of {of_all} {what} were late"
    cases = background.cases
    refused = sum(1 for case in cases if case.choice is Choice.REJECT)
    if len(cases) >= _FEWEST and refused * 2 > len(cases):
        yield f"{refused} of {len(cases)} questions like it were answered with no"


def evidence(tool: ToolSpec, args: Mapping[str, Any], background: Background) -> Iterator[str]:
    """Figures with the step that read them, and the cases nearest to this one with their runs."""
    left, amount = _left(tool, args), _amount(tool, args)
    if left is not None and amount is not None:
        yield f"{left:,} are left of the budget, {left - amount:,} after this"
    for step, fields in background.facts.items():
        yield f"{step}: {', '.join(f'{name} {_shown(value)}' for name, value in fields.items())}"
    cases = background.cases
    if not cases:
        yield "no question like it was decided before"
        return
    approved = sum(1 for case in cases if case.choice is Choice.APPROVE)
    yield f"{approved} of {len(cases)} questions like it were approved as asked"
    for case in _nearest(cases, tool, amount):
        what = _amount(tool, case.args)
        figure = f" at {what:,}" if what is not None else ""
        yield f"run {case.run_id}: {case.choice.value}{figure} by {case.by}{f', {case.reason}' if case.reason else ''}"


def sureness(rule: float, cases: Sequence[Case]) -> float:
    """How sure a yes is: the rule's own confidence, drawn to the share of cases that were approved as asked."""
    approved = sum(1 for case in cases if case.choice is Choice.APPROVE)
    return round((approved + rule * _SOON) / (len(cases) + _SOON), 2)


def _nearest(cases: Sequence[Case], tool: ToolSpec, amount: float | None) -> Sequence[Case]:
    """The cases with the nearest amounts; where there are no amounts, the most alike."""
    if amount is None:
        return cases[:_SHOWN]

    def distance(case: Case) -> float:
        other = _amount(tool, case.args)
        return abs(other - amount) if other is not None else float("inf")

    return sorted(cases, key=distance)[:_SHOWN]


def _left(tool: ToolSpec, args: Mapping[str, Any]) -> int | float | None:
    found = [value for name, value in args.items() if _semantic(tool, name) == "BudgetLeft" and _is_number(value)]
    return found[0] if found else None


def _amount(tool: ToolSpec, args: Mapping[str, Any]) -> int | float | None:
    value = args.get(tool.amount) if tool.amount else None
    return value if _is_number(value) else None


def _semantic(tool: ToolSpec, name: str) -> str:
    field = tool.input.get("properties", {}).get(name, {})
    return str(field.get("x-semantic", ""))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _shown(value: Any) -> str:
    return f"{value:,}" if _is_number(value) else str(value)
