"""A plan on a page: the request, the graph, reasons, findings, rulings, undo list. For previews and for runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from governance.decisions import Decision
from governance.effects import UndoItem
from governance.findings import Finding, Severity
from governance.policy import Ruling, RulingKind
from plans.drawing import draw_text
from plans.language import Plan
from runtime.views import Preview
from surfaces.cli.screen import rule
from surfaces.cli.tables import count, listing, pairs
from surfaces.cli.timeline import Namer, brief


def request_table(request: Mapping[str, Any], sources: Mapping[str, str] | None = None) -> Table:
    """The request's fields; with ``sources`` also where each comes from."""
    if sources is None:
        return pairs((name, _said(value)) for name, value in request.items())
    table = listing("field", "value", "from", wrap=("value", "from"))
    for name, value in request.items():
        table.add_row(Text(name, style="dim"), _said(value), Text(sources.get(name, "given"), style="dim"))
    return table


def _said(value: Any) -> str:
    """A value of a request as people read it; goals by what they want."""
    if isinstance(value, list) and value and all(isinstance(each, Mapping) and "provides" in each for each in value):
        return ", ".join(f"{each.get('id')} ({each['provides']})" for each in value)
    return str(value)


def graph(
    plan: Plan,
    needs: Mapping[str, Sequence[str]],
    rulings: Sequence[Ruling],
    *,
    width: int,
    states: Mapping[str, str] | None = None,
) -> RenderableType:
    """The plan as a graph in text, with confidences, gates and what waits for what."""
    drawn = draw_text(plan, needs, {ruling.step: ruling for ruling in rulings}, states, width=max(60, min(width, 100)))
    return Text("\n".join(drawn.splitlines()[1:]))


def reasons(plan: Plan) -> Table:
    """Why each step is there."""
    table = listing("step", "sure", "because", wrap=("because",))
    for step in plan.steps:
        table.add_row(step.id, f"{step.confidence:.0%}", step.reason)
    return table


def findings_part(findings: Sequence[Finding]) -> RenderableType:
    """What the checker found; that it found nothing is worth saying."""
    if not findings:
        return Text("None: types, references, order, undo, permissions, approvers and goals all hold.", style="green")
    parts: list[RenderableType] = []
    for finding in findings:
        fix = f" ({finding.fix})" if finding.fix else ""
        style = "red" if finding.severity is Severity.ERROR else "yellow"
        parts += [Text.assemble((finding.code, style), f"  {finding.place}"), _inside(finding.sentence + fix)]
    return Group(*parts)


def rulings_part(rulings: Sequence[Ruling], name: Namer) -> RenderableType:
    """What the policy lets pass, and what it puts to whom."""
    by_rule: dict[tuple[str, str], list[str]] = {}
    for ruling in rulings:
        who = " or ".join(name(approver) for approver in ruling.approvers) or "nobody"
        word = {RulingKind.GO: "· go", RulingKind.GATE: f"◆ {who} decides", RulingKind.FORBID: "✕ forbidden"}[
            ruling.kind
        ]
        by_rule.setdefault((word, ruling.because), []).append(ruling.step)
    parts: list[RenderableType] = []
    for (word, because), steps in sorted(by_rule.items(), key=lambda item: item[0][0] == "· go"):
        style = {"· go": "green", "✕ forbidden": "red"}.get(word, "yellow")
        parts += [Text.assemble((f"{word}: ", style), ", ".join(steps)), _inside(because)]
    return Group(*parts)


def undo_part(items: Sequence[UndoItem]) -> RenderableType:
    """How what was done would be taken back, newest first."""
    if not items:
        return Text("Nothing was done that could be undone.", style="dim")
    parts: list[RenderableType] = []
    for item in items:
        if item.call is None:
            parts.append(Text.assemble((item.step, "bold"), (f"  cannot be undone: {item.why}", "yellow")))
        else:
            parts.append(Text.assemble((item.step, "bold"), f"  {item.call.tool}"))
            parts.append(_inside(brief(item.call.args, most=200)))
    return Group(*parts)


def decision_line(decision: Decision) -> Text:
    """Who chose what, how sure, and why."""
    text = Text(f"{decision.decider}", style="cyan")
    if decision.decider.startswith("person:"):
        return text.append(f": {decision.reasoning}", style="default")
    text.append(f" is {decision.confidence:.0%} sure: {decision.reasoning}", style="default")
    return text


def preview_page(preview: Preview, name: Namer, width: int) -> RenderableType:
    """What a run would do."""
    parts: list[RenderableType] = [
        Text(f"{preview.title} ({preview.playbook}): what a run would do. Nothing was touched.", style="bold"),
        rule("Request"),
        request_table(preview.request),
    ]
    if preview.plan is not None:
        parts += [
            rule(f"Plan: {count(len(preview.plan.steps), 'step')}"),
            decision_line(preview.decision),
            graph(preview.plan, preview.needs, preview.rulings, width=width),
            rule("Why"),
            reasons(preview.plan),
        ]
    parts += [rule("Findings"), findings_part(preview.findings), rule("Rulings")]
    parts += [rulings_part(preview.rulings, name), rule("Undo list, once all of it is done"), undo_part(preview.undo)]
    return Group(*parts)


def _inside(words: str) -> RenderableType:
    return Padding(Text(words, style="dim"), (0, 0, 0, 4))
