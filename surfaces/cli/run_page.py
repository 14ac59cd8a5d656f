"""A run on a page: where it stands, its steps, reviews, decisions, undo list and timeline."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from governance.events import ENDED, RunStatus
from governance.reviews import ReviewKind, ReviewStatus
from governance.runs import ReviewRow, RunRow
from runtime.views import RunView, StepView
from surfaces.cli.plan_page import decision_line, findings_part, graph, reasons, request_table, undo_part
from surfaces.cli.review_page import answers_to, review_card
from surfaces.cli.screen import rule
from surfaces.cli.tables import RUN_STYLES, count, listing, mark, short
from surfaces.cli.timeline import Namer, brief, moment, news, timeline_table

STOPPED = frozenset({RunStatus.CANCELLED, RunStatus.CLOSED, RunStatus.UNDONE})
NARROW = 80
"""Columns below which tables leave out what matters least."""


def run_list(rows: Sequence[RunRow], name: Namer, width: int) -> Table:
    """Runs, one on a line, newest first; who asked and since when only where there is room."""
    roomy = width >= NARROW
    between = ("asked by", "since") if roomy else ()
    table = listing("run", "status", "title", *between, "waits for", wrap=("title", "waits for"))
    for row in rows:
        table.add_row(
            short(row.id),
            Text(row.status.value, style=RUN_STYLES[row.status.value]),
            row.title,
            *((name(row.requester), moment(row.admitted_at)) if roomy else ()),
            row.waiting_for or ("a worker" if is_due(row) else ""),
        )
    return table


def is_due(row: RunRow) -> bool:
    """Whether there is something to do for a worker, and none does it."""
    due = row.wake_at is not None and row.wake_at <= datetime.now(UTC)
    return due and row.owner is None and row.status not in ENDED


def way_on(view: RunView, *, end: bool = False) -> str:
    """How a person ends or resumes a parked run; ``end``: only how to end it. Empty when it is not parked."""
    if view.row.status is not RunStatus.PARKED:
        return ""
    run_id = short(view.row.id)
    asked = [review.card for review in view.reviews if _asks_whether_to_close(review)]
    close = f'steward answer {asked[0].id} close --reason "…"' if asked else f'steward cancel {run_id} --reason "…"'
    if end:
        return f"What was done stands. To end the run: `{close}`"
    way = f'When the cause is gone: steward resume {run_id} --reason "…"'
    if asked and view.undo and "undo" in answers_to(asked[0]):
        way += f'\nTo take back what was done: steward answer {asked[0].id} undo --reason "…"'
    unreachable = any("cannot be reached" in step.problem for step in view.all_steps)
    return f"If the practice company is meant, start it: steward sandbox\n{way}" if unreachable else way


def _asks_whether_to_close(review: ReviewRow) -> bool:
    return review.status is ReviewStatus.OPEN and review.card.kind is ReviewKind.PARKED


def headline(row: RunRow) -> Text:
    """A run in one line."""
    text = Text(f"{row.title} [{short(row.id)}] ", style="bold")
    text.append(row.status.value, style=RUN_STYLES[row.status.value])
    return text.append(f": {row.waiting_for}" if row.waiting_for and row.status is not RunStatus.PARKED else "")


def step_table(view: RunView, width: int) -> Table:
    """The steps as they stand."""
    roomy = width >= NARROW
    table = listing("", "step", *(("tool", "state") if roomy else ()), "what came of it", wrap=("what came of it",))
    for step in view.all_steps:
        more = (Text(step.tool, style="dim"), _state(step)) if roomy else ()
        table.add_row(mark(step.state), step.id, *more, outcome(step) or ("" if roomy else _state(step)))
    return table


def arguments(view: RunView) -> Table:
    """What each step is, or was, called with."""
    table = listing("step", "arguments", wrap=("arguments",))
    for step in view.all_steps:
        table.add_row(step.id, brief(step.args, most=400))
    return table


def outcome(step: StepView) -> str:
    """What a step brought, or what holds it up."""
    if step.undoes and step.state in {"done", "found"}:
        return f"{step.undoes} is taken back" if step.state == "done" else f"{step.undoes} was gone already"
    if step.state in {"done", "found"}:
        return news(step.args, step.output)
    if step.state == "waiting" and step.review_id and not step.problem:
        return f"review {step.review_id}"
    return step.problem


def standing(view: RunView, name: Namer) -> RenderableType:
    """Where a run stands and what a person can do now."""
    parts: list[RenderableType] = [headline(view.row)]
    if view.row.parent_id:
        parts.append(Text(f"Started by run {short(view.row.parent_id)}, step {view.row.parent_step}."))
    parts += [Text("Started: ").append(headline(child)) for child in view.children]
    if view.report:
        parts.append(Text(view.report))
    if is_due(view.row):
        parts.append(Text("It is due, and no worker has it yet: `steward up` or `steward worker` takes it up."))
    if view.at_risk:
        parts.append(Text(f"At risk: {view.at_risk}.", style="red"))
    if view.row.status is RunStatus.PARKED:
        parts += [Text(view.parked_because, style="red"), rule("Undo list"), undo_part(view.undo)]
    elif view.row.status in STOPPED and view.undo:
        closed = view.row.status is RunStatus.CLOSED
        parts += [rule("What was done stands; this would take it back" if closed else "This stands")]
        parts += [undo_part(view.undo)]
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
            *([Text(_taken(view), style="dim")] if view.template else []),
            graph(view.plan, needs, rulings, width=width, states=states),
            *([Text("\n".join(["Since the revision before:", *view.difference.shown]))] if view.difference else []),
            rule("Why"),
            reasons(view.plan),
        ]
    if view.findings:
        parts += [rule("Findings"), findings_part(view.findings)]
    if view.steps:
        parts += [rule("Steps"), step_table(view, width), rule("Called with"), arguments(view)]
    if view.decisions:
        parts += [rule("Decisions"), _decisions(view)]
    parts += [rule("Timeline"), timeline_table(view.timeline, name)]
    return Group(*parts)


def _taken(view: RunView) -> str:
    """Whose plan it is that was used again, and what that saved."""
    taken = next(decision for decision in view.decisions if f"template {view.template}" in decision.evidence)
    return f"From template {view.template}: {'; '.join(taken.evidence[1:])}."


def _is_open(view: RunView) -> list[bool]:
    return [review.status is ReviewStatus.OPEN for review in view.reviews]


def _open_reviews(view: RunView, name: Namer) -> RenderableType:
    opened = [review for review in view.reviews if review.status is ReviewStatus.OPEN]
    cards = [review_card(review, name, view.seen_at, run_shown=True) for review in opened]
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
