"""A plan as text, for terminals and chat: one line a step, in layers, at most 100 columns wide."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterable, Mapping

from governance.policy import Ruling, RulingKind
from plans.language import Plan, Step
from plans.layers import direct_needs, layers
from plans.wording import beside, condition_text

MARKS: Mapping[RulingKind, str] = {RulingKind.GO: "·", RulingKind.GATE: "◆", RulingKind.FORBID: "✕"}
LEGEND = "· goes by itself   ◆ a person decides   ✕ forbidden   ? not ruled on"
_LONGEST_NAME = 36


def draw_text(
    plan: Plan,
    needs: Mapping[str, Collection[str]],
    rulings: Mapping[str, Ruling],
    states: Mapping[str, str] | None = None,
    width: int = 100,
) -> str:
    """The plan as lines of at most ``width`` characters (60 or more).

    Steps of one layer may happen at the same time. Each line has the ruling's mark, the id, the tool, the confidence,
    the state if ``states`` has one, and below it who decides, on what condition, and what the step waits for.
    """
    found = layers(plan, needs)
    ids = _column((step.id for row in found for step in row), _LONGEST_NAME)
    tools = _column((step.tool for row in found for step in row), width - ids - 24)
    direct = direct_needs(needs)
    count = len(plan.steps)
    lines = [f"{plan.playbook} · {count} step{'' if count == 1 else 's'}"[:width]]
    for number, row in enumerate(found, 1):
        lines.append(f"{'┌' if number == 1 else '├'}─ {number} ".ljust(min(width, ids + tools + 16), "─"))
        for step in row:
            ruling = rulings.get(step.id)
            mark = MARKS[ruling.kind] if ruling else "?"
            state = (states or {}).get(step.id, "")
            head = f"│ {mark} {_cut(step.id, ids):{ids}}  {_cut(step.tool, tools):{tools}} {step.confidence:>5.0%}  {state}"
            lines.append(head.rstrip()[:width])
            note = _note(step, ruling, direct.get(step.id, []))
            lines += textwrap.wrap(note, width, initial_indent="│   ", subsequent_indent="│     ")
    lines += [f"└{'─' * (min(width, ids + tools + 16) - 1)}", LEGEND[:width]]
    return "\n".join(lines)


def _column(words: Iterable[str], most: int) -> int:
    return max((min(len(word), most) for word in words), default=1)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _note(step: Step, ruling: Ruling | None, wanted: Collection[str]) -> str:
    parts = [f"after {', '.join(wanted)}"] if wanted else []
    parts += beside(step)
    if step.when is not None:
        parts.append(f"if {condition_text(step.when)}")
    if ruling is not None and ruling.kind is RulingKind.GATE:
        parts.append(f"decided by {', '.join(ruling.approvers) or 'nobody'}")
    if ruling is not None and ruling.kind is RulingKind.FORBID:
        parts.append(f"forbidden: {ruling.because}")
    return "; ".join(parts)
