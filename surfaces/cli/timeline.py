"""A journal in words: one line for each event that a person wants to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from governance import events as ev
from governance.chain import Entry
from governance.effects import UNDO, EffectClass, StepStatus
from governance.people import Directory
from governance.policy import RulingKind
from governance.reviews import Choice, ReviewCard, Verdict
from surfaces.cli.tables import count

Namer = Callable[[str], str]


@dataclass(frozen=True)
class Line:
    """What happened, in words. ``seq`` is the entry's, ``mark`` is one character, ``style`` its colour."""

    seq: int
    at: datetime
    mark: str
    style: str
    about: str
    words: str

    def __str__(self) -> str:
        about = f"{self.about}: " if self.about else ""
        return f"{clock(self.at)}  {self.mark} {about}{self.words}"


def namer(directory: Directory) -> Namer:
    """Names for ids: ``Grace Hopper`` for her e-mail address; other ids stay as they are."""

    def name(person_id: str) -> str:
        person = directory.find(person_id)
        return person.name if person else person_id

    return name


@dataclass(frozen=True)
class _Known:
    """What the entries before said that makes later ones clear: the questions, and what kind of effect a step has."""

    name: Namer
    cards: dict[str, ReviewCard] = field(default_factory=dict)
    effects: dict[str, EffectClass] = field(default_factory=dict)


def lines(entries: Iterable[Entry], name: Namer) -> Iterator[Line]:
    """A run's journal from its first entry on, in words; what says nothing new to a person is left out."""
    known = _Known(name)
    for entry in entries:
        body = entry.parsed()
        if body is None:
            yield Line(entry.seq, entry.at, "░", "dim", "", f"{entry.kind} (erased)")
            continue
        if isinstance(body, ev.ReviewAsked):
            known.cards[body.card.id] = body.card
        elif isinstance(body, ev.StepIntended):
            known.effects[body.intent.step] = body.intent.effect
        told = _WORDS.get(type(body))
        if told is not None:
            yield Line(entry.seq, entry.at, *told(body, known))


def changes(card: ReviewCard, verdict: Verdict) -> str:
    """What an edit changes: ``annual_salary 56000 → 61000``; empty for any other verdict."""
    if verdict.choice is not Choice.EDIT or verdict.args is None:
        return ""
    before, after = card.args, verdict.args
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    shown = [f"{name} {_short(before.get(name, 'nothing'))} → {_short(after.get(name, 'nothing'))}" for name in names]
    return ", ".join(shown) or "nothing"


def timeline_table(entries: tuple[Entry, ...], name: Namer) -> Table:
    """All lines as a table without borders."""
    table = Table(box=None, show_header=False, padding=(0, 1), pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True, width=1)
    table.add_column()
    for told in lines(entries, name):
        about = (f"{told.about}: " if told.about else "", "bold")
        table.add_row(clock(told.at), Text(told.mark, style=told.style), Text.assemble(about, told.words))
    return table


def clock(at: datetime) -> str:
    """The time of day here."""
    return at.astimezone().strftime("%H:%M:%S")


def moment(at: datetime | None) -> str:
    """Day and time here."""
    return at.astimezone().strftime("%Y-%m-%d %H:%M") if at else ""


_Words = tuple[str, str, str, str]
_GOOD, _BAD, _ASK, _CALM = "green", "red", "yellow", "cyan"


def _admitted(body: ev.RunAdmitted, known: _Known) -> _Words:
    return "▸", _CALM, "", f"{known.name(body.requester)} asks: {body.title} ({body.playbook})"


def _written(body: ev.PlanWritten, _: _Known) -> _Words:
    steps = len(body.plan.get("steps", ()))
    sure = f"confidence {body.decision.confidence:.2f}"
    without = f" without {', '.join(body.instead_of)}" if body.instead_of else ""
    return "▸", _CALM, "", f"plan {body.revision} written by {body.author}{without}: {count(steps, 'step')}, {sure}"


def _checked(body: ev.PlanChecked, _: _Known) -> _Words:
    gates = sum(ruling.kind == "gate" for ruling in body.rulings)
    findings = "no findings" if not body.findings else count(len(body.findings), "finding")
    if body.ok:
        need = f"{count(gates, 'step')} need{'s' if gates == 1 else ''} a person"
        changes = f"; it {body.difference}" if body.difference else ""
        return "✓", _GOOD, "", f"plan {body.revision} passes the check: {findings}, {need}{changes}"
    return "✗", _BAD, "", f"plan {body.revision} does not pass the check: {findings}"


def _asked(body: ev.ReviewAsked, known: _Known) -> _Words:
    card = body.card
    who = " or ".join(known.name(approver) for approver in card.approvers) or "nobody"
    return "?", _ASK, card.step, f"waits for {who}: {card.question} [{card.id}]"


_VERDICTS: Mapping[Choice, tuple[str, str, str]] = {
    Choice.APPROVE: ("✓", _GOOD, "approves"),
    Choice.RESPOND: ("✓", _GOOD, ""),
    Choice.EDIT: ("✎", _ASK, "edits"),
    Choice.REJECT: ("✗", _ASK, "rejects"),
}
_ANSWERS = {
    "happened": "says it happened",
    "did_not_happen": "says it did not happen",
    "resume": "resumes the run",
    "undo": "has the run taken back",
    "close": "closes the run",
}


def _decided(body: ev.ReviewDecided, known: _Known) -> _Words:
    mark, style, said = _VERDICTS[body.verdict.choice]
    said = said or _ANSWERS.get(body.verdict.response, body.verdict.response)
    card = known.cards.get(body.review_id)
    changed = changes(card, body.verdict) if card else ""
    reason = f": {body.verdict.reason}" if body.verdict.reason else ""
    return mark, style, body.step, f"{known.name(body.by)} {said}{f' {changed}' if changed else ''}{reason}"


def _attempted(body: ev.StepAttempted, known: _Known) -> _Words:
    then = f"; again at {clock(body.retry_at)}" if body.retry_at else ""
    if body.failure.failure == "ambiguous" and known.effects.get(body.step) is EffectClass.UNSAFE:
        then = "; people will be asked whether it happened"
    kind = {"ambiguous": "lost", "transient": "failed"}.get(body.failure.failure, "failed for good")
    return "↻", _ASK, body.step, f"attempt {body.number} {kind}: {body.failure.message.rstrip('.')}{then}"


def _reconciled(body: ev.StepReconciled, _: _Known) -> _Words:
    found = {"ours": "it had happened", "none": "it had not happened", "foreign": "somebody else made it"}[body.answer]
    evidence = f" ({body.evidence})" if body.evidence else ""
    return "⌕", _CALM, body.step, f"asked the system whether the lost call happened: {found}{evidence}"


_ENDS: Mapping[StepStatus, tuple[str, str, str]] = {
    StepStatus.DONE: ("✓", _GOOD, "done"),
    StepStatus.SKIPPED: ("-", "dim", "skipped"),
    StepStatus.FAILED: ("✗", _BAD, "failed"),
    StepStatus.REFUSED: ("✗", _BAD, "refused"),
    StepStatus.STOPPED: ("■", _ASK, "stopped"),
}


def _ended(body: ev.StepEnded, _: _Known) -> _Words:
    mark, style, word = _ENDS[body.status]
    if body.found:
        word = "was there already"
    why = body.failure.message if body.failure else body.why
    what = news(body.args, body.output) if body.status is StepStatus.DONE else why
    if body.step.startswith(UNDO) and body.status is StepStatus.DONE:
        return mark, style, body.step, "was gone already" if body.found else "taken back"
    return mark, style, body.step, f"{word}: {what}" if what else word


def _ruled(body: ev.StepRuled, known: _Known) -> _Words:
    ruling = body.ruling
    if ruling.kind is RulingKind.GO:
        return "✓", _GOOD, body.step, f"goes by itself now that its arguments are known, by {ruling.rule}"
    if ruling.kind is RulingKind.FORBID:
        return "✗", _BAD, body.step, f"is forbidden by {ruling.rule}: {ruling.because}"
    people = " or ".join(known.name(person) for person in ruling.approvers)
    return "◆", _ASK, body.step, f"{people} is to decide, by {ruling.rule}"


def _expanded(body: ev.StepExpanded, _: _Known) -> _Words:
    keys = ", ".join(item.key for item in body.items) or "there is none"
    return "≡", _CALM, body.step, f"for each of {count(len(body.items), 'item')}: {keys}"


def _resumed(body: ev.RunResumed, known: _Known) -> _Words:
    more = f" (with {body.more})" if body.more else ""
    return "▸", _CALM, "", f"{known.name(body.by)} resumes: {body.reason}{more}"


def _escalated(body: ev.ReviewEscalated, known: _Known) -> _Words:
    if not body.added:
        return "-", "dim", body.step, body.why
    who = " or ".join(known.name(person) for person in body.added)
    return "⇧", _ASK, body.step, f"escalated to level {body.level}, {who}: {body.why} [{body.review_id}]"


def _reminded(body: ev.ReviewReminded, known: _Known) -> _Words:
    who = ", ".join(known.name(person) for person in body.people)
    return "!", _ASK, body.step, f"reminded {who or 'nobody'} [{body.review_id}]"


def _at_risk(body: ev.RunAtRisk, _: _Known) -> _Words:
    return "!", _BAD, body.step, f"{'the run is ' if body.what == 'run' else ''}at risk: {body.why}"


def _parked(body: ev.RunParked, _: _Known) -> _Words:
    return "■", _BAD, "", f"parked: {body.reason}"


def _undo_begun(body: ev.UndoBegun, _: _Known) -> _Words:
    back = ", ".join(item.step for item in body.items if item.call is not None) or "nothing"
    stays = ", ".join(item.step for item in body.items if item.call is None)
    return "↶", _ASK, "", f"takes back, newest first: {back}" + (f"; cannot be taken back: {stays}" if stays else "")


_WORDS: Mapping[type, Callable[[Any, _Known], _Words]] = {
    ev.RunAdmitted: _admitted,
    ev.PlanWritten: _written,
    ev.PlanChecked: _checked,
    ev.ReviewAsked: _asked,
    ev.ReviewDecided: _decided,
    ev.ReviewClosed: lambda body, _: ("-", "dim", body.step, f"review {body.status}: {body.why}"),
    ev.ReviewReminded: _reminded,
    ev.ReviewEscalated: _escalated,
    ev.RunAtRisk: _at_risk,
    ev.StepIntended: lambda body, _: ("▸", _CALM, body.intent.step, f"calls {body.intent.tool}"),
    ev.StepTried: lambda body, _: ("▸", _CALM, body.step, "tries again"),
    ev.StepAttempted: _attempted,
    ev.StepWaiting: lambda body, _: ("…", "dim", body.step, f"waits until {clock(body.until)}: {body.why}"),
    ev.StepDeferred: lambda body, _: (
        "…",
        "dim",
        body.step,
        f"waits for {body.why}, until {moment(body.until)} at most",
    ),
    ev.StepAnswered: lambda body, _: ("▸", _CALM, body.step, f"is answered by {body.by}"),
    ev.StepExpanded: _expanded,
    ev.StepRuled: _ruled,
    ev.StepChosen: lambda body, _: ("◆", _GOOD, body.step, f"{body.decision.choice}: {body.decision.reasoning}"),
    ev.StepReconciled: _reconciled,
    ev.StepEnded: _ended,
    ev.FailureDiagnosed: lambda body, _: ("!", _ASK, body.step, f"{body.choice}: {body.decision.reasoning}"),
    ev.CancelAsked: lambda body, known: ("■", _ASK, "", f"{known.name(body.by)} cancels: {body.reason}"),
    ev.RunParked: _parked,
    ev.UndoBegun: _undo_begun,
    ev.RunResumed: _resumed,
    ev.InputDropped: lambda body, _: ("-", "dim", "", f"{body.what} came too late: {body.why}"),
    ev.RunReported: lambda body, _: ("▸", _CALM, "", body.summary),
    ev.RunEnded: lambda body, _: ("●", _GOOD if body.status == "done" else _ASK, "", f"run {body.status}"),
}


def news(args: Mapping[str, Any], output: Mapping[str, Any] | None) -> str:
    """What a call brought that was not handed to it, on one line; all of it where it brought nothing else."""
    given = list(args.values())
    new = {name: value for name, value in (output or {}).items() if value not in given and value is not True}
    return brief(new or output or {})


def brief(values: Mapping[str, Any], *, most: int = 90) -> str:
    """Named values on one line: ``desk_code BER-2-014, site Berlin``; cut where it grows long."""
    words = ", ".join(f"{name} {_short(value)}" for name, value in values.items() if value not in (None, "", [], {}))
    return words if len(words) <= most else words[: most - 1].rstrip(" ,") + "…"


def _short(value: Any) -> str:
    if isinstance(value, Mapping) and set(value) == {"$ref"}:
        return f"its {value['$ref']}"
    if isinstance(value, Mapping):
        return "{" + brief(value, most=40) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_short(part) for part in value) + "]"
    return " ".join(str(value).split())
