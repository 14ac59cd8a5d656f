"""A review on one screen: the exact action, why it is asked, what is recommended, who may answer, and how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from governance.deciding import responses_to
from governance.decisions import Corrected, Decision, basis_of
from governance.effects import UndoItem
from governance.escalation import marks
from governance.findings import Finding
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus, Verdict
from governance.runs import ReviewRow
from plans.wording import read_steps
from surfaces.cli.plan_page import findings_part, undo_part
from surfaces.cli.tables import listing, pairs, short
from surfaces.cli.timeline import Namer, brief, changes, moment

ANSWERS: Mapping[ReviewKind, tuple[str, ...]] = {
    ReviewKind.OUTCOME: ("happened", "did-not-happen"),
    ReviewKind.PARKED: ("resume", "undo", "close"),
}
"""What people say to questions that are not about an action to come."""


def review_list(rows: Sequence[ReviewRow], name: Namer, now: datetime) -> Table:
    """Reviews, one on a line; below the due time what silence has come to: level, reminders, risk."""
    table = listing("review", "run", "title", "asks", "waits for", "due", wrap=("title", "asks", "waits for"))
    for row in rows:
        card = row.card
        table.add_row(
            card.id,
            short(card.run_id),
            card.title,
            _asks(card),
            _where(row, name),
            Text("\n").join((*([Text(moment(card.due_at))] if card.due_at else []), *pressing(row, now))),
            style=_style(row),
        )
    return table


def review_card(
    row: ReviewRow, name: Namer, now: datetime, *, answers: bool = True, run_shown: bool = False
) -> RenderableType:
    """All that a person needs to answer.

    ``answers``: with the commands that do. ``run_shown``: why a run is parked and its undo list stand on the page already.
    """
    card = row.card
    lines: list[tuple[str, str | Text]] = [
        ("review", f"{card.id} ({row.status.value})"),
        ("run", f"{card.title} [{short(card.run_id)}], asked by {name(card.requester)}"),
        ("question", Text(card.question, style="bold")),
    ]
    if card.tool:
        lines.append(("action", Text(card.tool, style="cyan")))
        lines += [(f"  {key}", brief({"": value}, most=400).strip()) for key, value in card.args.items()]
    if card.kind is ReviewKind.PLAN:
        lines += [("  change", change) for change in card.args.get("changes", ())]
        lines += [("  step", step) for step in card.args.get("steps", ())]
    if row.verdict is not None and changes(card, row.verdict):
        lines.append(("edited", Text(changes(card, row.verdict), style="yellow")))
    told = run_shown and card.kind is ReviewKind.PARKED
    lines += [] if told else [("because", card.triggered_by)]
    if card.recommendation is not None:
        lines.append(("advice", _advice(card.recommendation, card.experience)))
        telling = [words for words in card.recommendation.evidence if not words.endswith("is what the request says")]
        lines += [("" if number else "evidence", words) for number, words in enumerate(telling)]
    lines.append(("waits for", _where(row, name)))
    pressed = pressing(row, now)
    lines += [("silence", Text(", ").join(pressed))] if pressed else []
    if row.status is ReviewStatus.OPEN and card.due_at is not None:
        ends = row.escalation is not None and row.escalation.ends
        lines.append(("until", f"{moment(card.due_at)}, then it {'is refused' if ends else 'goes further up'}"))
    if answers and row.status is ReviewStatus.OPEN:
        lines += [("answer", Text(way, style="cyan")) for way in ways(card)]
    parts: list[RenderableType] = [pairs(lines)]
    if card.kind is ReviewKind.PARKED and card.args.get("findings"):
        parts += [Text("The best plan, and what the checker says about it:", style="dim"), *_best_plan(card)]
    if card.kind is ReviewKind.PARKED and not told:
        undo = [UndoItem.model_validate(item) for item in card.args.get("undo", ())]
        parts += [Text("What was done, and how it would be undone:", style="dim"), undo_part(undo)]
    return Group(*parts)


def _best_plan(card: ReviewCard) -> list[RenderableType]:
    """A plan that did not pass: its steps as far as they can be read, and the findings."""
    table = listing("step", "tool", "because", wrap=("because",))
    for step in read_steps(card.args.get("plan")):
        table.add_row(*step)
    return [table, findings_part([Finding.model_validate(finding) for finding in card.args["findings"]])]


def pressing(row: ReviewRow, now: datetime) -> list[Text]:
    """Reminded, escalated, at risk: what an open question has come to, a line each."""
    if row.status is not ReviewStatus.OPEN:
        return []
    return [
        Text(mark, style="red" if mark.startswith(("at risk", "overdue")) else "yellow")
        for mark in marks(row.escalation, now)
    ]


def answers_to(card: ReviewCard) -> tuple[str, ...]:
    """What the command line takes for an answer to this question."""
    return tuple(response.replace("_", "-") for response in responses_to(card))


def ways(card: ReviewCard) -> list[str]:
    """The commands that answer a review."""
    who = f"--by {card.approvers[0]}" if card.approvers else "--by EMAIL"
    if card.kind is ReviewKind.FORM:
        return [f"steward answer {card.id} {_blanks(card)} {who}"]
    if card.kind in ANSWERS:
        return [f'steward answer {card.id} {answer} --reason "…" {who}' for answer in answers_to(card)]
    commands = {
        Choice.APPROVE: f"steward approve {card.id} {who}",
        Choice.REJECT: f'steward reject {card.id} --reason "…" {who}',
        Choice.EDIT: f'steward edit {card.id} --set name=value --reason "…" {who}',
    }
    return [commands[choice] for choice in commands if choice in card.allowed]


def verdict_line(row: ReviewRow, name: Namer) -> Text:
    """What somebody said, and to what."""
    verdict = row.verdict
    if verdict is None:
        return Text(f"{row.card.id}: {row.status.value}")
    verbs = {Choice.APPROVE: "approves", Choice.EDIT: "edits", Choice.REJECT: "rejects"}
    about = row.card.step or (row.card.plan_called if row.card.kind is ReviewKind.PLAN else "the run")
    said = f"{verbs[verdict.choice]} {about}" if verdict.choice in verbs else f"says of {about}: {_spoken(verdict)}"
    changed = changes(row.card, verdict)
    said += f": {changed}" if changed else ""
    reason = f": {verdict.reason}" if verdict.reason else ""
    return Text(f"{name(row.decided_by or '')} {said}", style="bold").append(
        f" [{row.card.id}]{reason}", style="not bold"
    )


def _asks(card: ReviewCard) -> str:
    asks = {
        ReviewKind.STEP: card.step,
        ReviewKind.FORM: f"answers for {card.step}",
        ReviewKind.PLAN: card.plan_called,
        ReviewKind.OUTCOME: f"did {card.step} happen?",
    }
    return asks.get(card.kind, " or ".join(answers_to(card)) + "?")


def _advice(said: Decision, experience: Corrected | None) -> str:
    """The recommendation, as sure as experience allows, with what it says of itself behind that."""
    sure = f"{experience.confidence if experience else said.confidence:.0%} sure"
    by = ", ".join(part for part in (basis_of(said, experience), said.decider) if part)
    return f"{said.choice}, {sure} ({by}): {said.reasoning}"


def _blanks(card: ReviewCard) -> str:
    """The fields of a form, to be filled in; those that must be come first."""
    schema = card.args.get("schema", {})
    needed = [name for name in schema.get("required", ()) if name in schema.get("properties", {})]
    rest = [name for name in schema.get("properties", {}) if name not in needed]
    return " ".join([*(f"--set {name}=…" for name in needed), *(f"[--set {name}=…]" for name in rest)])


def _spoken(verdict: Verdict) -> str:
    past = {Choice.APPROVE: "approved", Choice.EDIT: "edited", Choice.REJECT: "rejected"}
    return past.get(verdict.choice) or verdict.response.replace("_", "-")


def _where(row: ReviewRow, name: Namer) -> str:
    if row.status is ReviewStatus.DECIDED and row.verdict is not None:
        changed = changes(row.card, row.verdict)
        by = f"{_spoken(row.verdict)} by {name(row.decided_by or '')} {moment(row.decided_at)}"
        return f"{by}: {changed}" if changed else by
    if row.status is not ReviewStatus.OPEN:
        return f"{row.status.value}: {row.closed_why}"
    return " or ".join(name(person) for person in row.card.approvers) or "nobody"


def _style(row: ReviewRow) -> str:
    return "" if row.status is ReviewStatus.OPEN else "dim"
