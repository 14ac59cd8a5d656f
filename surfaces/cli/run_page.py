"""A run on a page: where it stands, its steps, reviews, decisions, undo list and timeline."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from governance.events import RunStatus
from governance.reviews import ReviewStatus
from governance.runs import RunRow
from runtime.views import RunView, StepView
from surfaces.cli.plan_page import decision_line, findings_part, graph, reasons, request_table, undo_part
from surfaces.cli.review_page import review_card
from surfaces.cli.screen import rule
from surfaces.cli.tables import RUN_STYLES, count, listing, mark, short
from surfaces.cli.timeline import Namer, moment, news, timeline_table


def run_list(rows: Sequence[RunRow], name: Namer) -> Table:
    """Runs, one on a line, newest first."""
    table = listing("run", "status", "title", "asked by", "since", "waits for", wrap=("title", "waits for"))
    for row in rows:
        table.add_row(
            short(row.id),
            Text(row.status.value, style=RUN_STYLES[row.status.value]),
            row.title,
            name(row.requester),
            moment(row.admitted_at),
            row.waiting_for,
        )
    return table


def headline(row: RunRow) -> Text:
    """A run in one line."""
    text = Text(f"{row.title} [{short(row.id)}] ", style="bold")
    text.append(row.status.value, style=RUN_STYLES[row.status.value])
    return text.append(f": {row.waiting_for}" if row.waiting_for and row.status is not RunStatus.PARKED else "")


def step_table(view: RunView) -> Table:
    """The steps as they stand."""
    table = listing("", "step", "tool", "state", "what came of it", wrap=("what came of it",))
    for step in view.steps:
        table.add_row(mark(step.state), step.id, Text(step.tool, style="dim"), _state(step), outcome(step))
    return table


def outcome(step: StepView) -> str:
    """What a step brought, or what holds it up."""
    if step.state in {"done", "found"}:
        return news(step.args, step.output)
    if step.state == "waiting" and step.review_id and not step.problem:
        return f"review {step.review_id}"
    return step.problem


def standing(view: RunView, name: Namer) -> RenderableType:
    """Where a run stands and what a person can do now."""
    parts: list[RenderableType] = [headline(view.row)]
    if view.report:
        parts.append(Text(view.report))
    if view.row.status is RunStatus.PARKED:
        parts += [Text(view.parked_because, style="red"), rule("Undo list"), undo_part(view.undo)]
    parts += [_open_reviews(view, name)] if any(_is_open(view)) else []
    return Group(*parts)


def run_page(view: RunView, name: Namer, width: int) -> RenderableType:
    """Everything about a run."""
    parts: list[RenderableType] = [standing(view, name), rule("Request"), request_table(view.request)]
    if view.plan is not None:
        needs = {step.id: step.needs for step in view.steps}
        rulings = [step.ruling for step in view.steps if step.ruling]
        states = {step.id: step.state for step in view.steps}
        parts += [
            rule(f"Plan, revision {view.revision}: {count(len(view.steps), 'step')}"),
            graph(view.plan, needs, rulings, width=width, states=states),
            rule("Why"),
            reasons(view.plan),
        ]
    if view.findings:
        parts += [rule("Findings"), findings_part(view.findings)]
    if view.steps:
        parts += [rule("Steps"), step_table(view)]
    if view.decisions:
        parts += [rule("Decisions"), _decisions(view)]
    parts += [rule("Timeline"), timeline_table(view.timeline, name)]
    return Group(*parts)


def _is_open(view: RunView) -> list[bool]:
    return [review.status is ReviewStatus.OPEN for review in view.reviews]


def _open_reviews(view: RunView, name: Namer) -> RenderableType:
    cards = [review_card(review, name, run_shown=True) for review in view.reviews if review.status is ReviewStatus.OPEN]
    spaced = [part for card in cards for part in (Text(), card)]
    return Group(rule(f"{count(len(cards), 'question')} to answer"), *spaced[1:])


def _decisions(view: RunView) -> Table:
    table = listing("about", "choice", "decided", wrap=("choice", "decided"))
    for decision in view.decisions:
        table.add_row(f"{decision.kind.value}: {decision.subject}", decision.choice, decision_line(decision))
    return table


def _state(step: StepView) -> str:
    extra = f", {count(step.retries, 'retry')}".replace("retrys", "retries") if step.retries else ""
    return step.state + extra
