"""The decisions of a run on a page: the run's own, then step by step, each with how sure and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from governance.decisions import DecisionKind
from governance.record import DecisionRecord, Override
from runtime.views import RunDecisions, StepDecisions
from surfaces.cli.run_page import headline
from surfaces.cli.screen import rule
from surfaces.cli.tables import count, short
from surfaces.cli.timeline import Namer, clock, moment
from surfaces.decided import decider, took, total

BAR = 6
_KINDS = max(len(kind.value) for kind in DecisionKind)
_STYLES = {"gate": "yellow", "forbid": "red", "reject": "red", "edit": "yellow", "refuse": "red", "cancel": "red"}
Named = Callable[[str], str]
"""A text with people's names instead of their ids."""


def decision_page(decided: RunDecisions, name: Namer, named: Named) -> RenderableType:
    """All decisions of a run."""
    wrong = len(decided.overridden)
    said = f"{count(len(decided.records), 'decision')} since {moment(decided.row.admitted_at)}"
    said += f", {wrong or 'none'} overridden by people"
    told = _Told(name, named, _clock_of(decided))
    parts: list[RenderableType] = [headline(decided.row), Text(said, style="dim")]
    if decided.of_run:
        parts += [rule("The run"), *_blocks(decided.of_run, told)]
    for step in decided.by_step:
        parts += [_heading(step), *_blocks(step.records, told)]
    return Group(*parts, Text(), Text(total(decided.spent)), _proof(decided))


def bar(confidence: float | None) -> Text:
    """``█████░  83%``; nothing where it is not known."""
    if confidence is None:
        return Text(" " * (BAR + 5))
    full = round(confidence * BAR)
    style = "green" if confidence >= 0.8 else "yellow" if confidence >= 0.5 else "red"
    return Text.assemble(("█" * full, style), ("░" * (BAR - full), "dim"), f" {confidence:>4.0%}")


def _heading(step: StepDecisions) -> RenderableType:
    planned = step.planned
    if planned is None:
        return rule(step.step)
    why = Text(planned.reason, style="dim")
    title = Text.assemble((step.step, "bold"), f"  {planned.tool}")
    sure = Text.assemble("  ", bar(planned.confidence)) if planned.confidence is not None else Text()
    return Group(Text(), title.append_text(sure), *([Padding(why, (0, 0, 0, 2))] if planned.reason else []))


@dataclass(frozen=True)
class _Told:
    """How people and moments are called on this page."""

    name: Namer
    named: Named
    at: Callable[[datetime], str]


def _clock_of(decided: RunDecisions) -> Callable[[datetime], str]:
    """The time of day, with the day where there are several."""
    days = {record.at.astimezone().date() for record in decided.records}
    return clock if len(days) < 2 else lambda at: at.astimezone().strftime("%d %b %H:%M")


def _blocks(records: Iterable[DecisionRecord], told: _Told) -> list[RenderableType]:
    return [part for record in records for part in (_line(record, told), _body(record, told))]


def _line(record: DecisionRecord, told: _Told) -> RenderableType:
    line = Table.grid(padding=(0, 1, 0, 0))
    for width in (len(told.at(record.at)), _KINDS, BAR + 5):
        line.add_column(no_wrap=True, width=width)
    line.add_column(overflow="fold")
    if record.erased:
        line.add_row(told.at(record.at), record.kind.value, "", Text("erased", style="dim"))
        return line
    style = _STYLES.get(record.choice, "bold")
    choice = Text.assemble((told.named(record.choice), style), f" by {decider(record, told.name)}")
    sure = bar(None if record.by_person else record.confidence)  # a person's word is not a guess
    line.add_row(Text(told.at(record.at), style="dim"), record.kind.value, sure, choice)
    return line


def _body(record: DecisionRecord, told: _Told) -> RenderableType:
    named = told.named
    lines = [Text(named(record.reasoning), style="dim")] if record.reasoning else []
    lines += [Text(f"evidence: {named('; '.join(record.evidence))}", style="dim")] if record.evidence else []
    lines += [Text(f"not {named(each.choice)}: {named(each.why_not)}", style="dim") for each in record.alternatives]
    if record.use is not None:
        lines.append(Text(f"{record.use.model}, prompt {record.use.prompt}: {took(record.use)}", style="dim"))
    lines += [_override(each, told) for each in record.overridden]
    return Padding(Group(*lines), (0, 0, 0, 9)) if lines else Group()


def _override(override: Override, told: _Told) -> Text:
    said = f"overridden by {told.name(override.by)} at {told.at(override.at)}: {told.named(override.choice)}"
    return Text(f"↯ {said}, “{told.named(override.why)}”", style="red")


def _proof(decided: RunDecisions) -> Text:
    verified = decided.verified
    run = short(decided.row.id)
    if not verified.ok:
        return Text(f"✗ The journal does not hold: `steward audit verify {run}` says where.", style="red")
    entries = f"{verified.entries} entries" + (", erased" if verified.erased else "")
    return Text(f"✓ The journal that says so holds: {entries}, the last {decided.head[:12]}.", style="green")
