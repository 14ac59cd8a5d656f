"""What the cards show, from Steward's own rows and nothing else. Nothing that comes back from a card is trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents.ports import Understood
from governance.deciding import may_decide, require_may_decide, responses_to
from governance.decisions import basis_of
from governance.effects import UndoItem
from governance.errors import NotFound, NotPermitted
from governance.findings import Finding
from governance.people import Directory, Person
from governance.policy import RulingKind
from governance.reviews import Choice, ReviewCard, ReviewKind, ReviewStatus
from governance.runs import ReviewRow
from plans.picture import draw_svg
from plans.wording import read_steps
from runtime.views import RunView, StepView
from surfaces.chat.forms import form_of, label
from surfaces.chat.pressing import pressing
from surfaces.chat.wording import decider, names, pretty, shown, sure, undo_line

_STANDING = {
    ReviewStatus.OPEN: "open",
    ReviewStatus.EXPIRED: "expired",
    ReviewStatus.WITHDRAWN: "withdrawn",
}
_DONE = {
    Choice.APPROVE: "Approved",
    Choice.EDIT: "Approved with changes",
    Choice.REJECT: "Rejected",
    Choice.RESPOND: "Answered",
}
_ASKING = frozenset({ReviewKind.STEP, ReviewKind.FORM, ReviewKind.PLAN})
_ANSWERS = {
    "resume": "Resumed",
    "undo": "Taken back",
    "close": "Closed",
    "happened": "It happened",
    "did_not_happen": "It did not happen",
}


@dataclass(frozen=True)
class Cards:
    """Draws for one person at a time. ``inputs`` gives a tool's input schema, or raises NotFound."""

    directory: Directory
    inputs: Callable[[str], Mapping[str, Any]]

    def review(self, row: ReviewRow, person: Person) -> dict[str, Any]:
        """The props of a ReviewCard, as this person may see and answer it."""
        card = row.card
        is_open = row.status is ReviewStatus.OPEN
        may = is_open and may_decide(card, person, self.directory)
        advice, parked = card.recommendation, card.kind is ReviewKind.PARKED
        buttons = Choice.RESPOND in card.allowed and card.kind is not ReviewKind.FORM
        return {
            "key_": f"{person.id}/{card.id}",
            "id": card.id,
            "kind": card.kind.value,
            "step": card.step,
            "title": f"{card.title} · {card.step}" if card.step else card.title,
            "question": card.question.rstrip(".?") + ("?" if card.kind in _ASKING else "."),
            "args": self._args(card),
            "undo": self._undo(card),
            "steps": [f"{step}: {tool}" for step, tool, _ in read_steps(card.args.get("plan"))] if parked else [],
            "findings": [str(Finding.model_validate(f)) for f in card.args.get("findings", ())] if parked else [],
            "why": card.triggered_by,
            "asker": self._asker(card),
            "asked_at": card.asked_at.isoformat(),
            "due_at": card.due_at.isoformat() if card.due_at else None,
            "pressing": pressing(row.escalation, card.kind) if is_open else [],
            "ends": bool(row.escalation and row.escalation.ends),
            "advice": advice
            and {
                "choice": advice.choice,
                "confidence": f"{card.experience.confidence if card.experience else advice.confidence:.0%}",
                "basis": basis_of(advice, card.experience),
                "reasoning": advice.reasoning,
                "evidence": [words for words in advice.evidence if not words.endswith("is what the request says")],
                "decider": decider(advice.decider),
            },
            "allowed": [choice.value for choice in card.allowed],
            "responses": list(responses_to(card)) if buttons else [],
            "form": self._form(card) if may and (Choice.EDIT in card.allowed or card.kind is ReviewKind.FORM) else None,
            "may": may,
            "why_not": self._why_not(card, person) if is_open and not may else "",
            "status": row.status.value,
            "standing": _STANDING.get(row.status) or _word(row).lower(),
            "outcome": self._outcome(row),
            "closed": f"{_STANDING[row.status].capitalize()}: {row.closed_why}"
            if row.closed_why and not is_open
            else "",
        }

    def run(self, view: RunView) -> dict[str, Any]:
        """The props of a RunCard."""
        plan, row = view.plan, view.row
        rulings = {step.id: step.ruling for step in view.steps if step.ruling}
        states = {step.id: step.state for step in view.steps if step.state != "planned"}
        needs = {step.id: step.needs for step in view.steps}
        planned = next((d for d in reversed(view.decisions) if d.kind.value == "plan"), None)
        gated = sum(ruling.kind is RulingKind.GATE for ruling in rulings.values())
        return {
            "id": row.id,
            "title": row.title or "(erased)",
            "status": row.status.value,
            "waiting": self._waiting(view),
            "plan": f"{len(view.steps)} steps, {gated} of them for a person to decide." if plan else "Being planned.",
            "planner": sure(planned) if planned else "",
            "revision": view.revision,
            "picture": draw_svg(plan, needs, rulings, states) if plan else "",
            "findings": [str(finding) for finding in view.findings],
            "steps": [_step(step, self.directory) for step in view.all_steps],
            "report": view.report,
            "parked": f"Parked: {view.parked_because}" if row.status.value == "parked" and view.parked_because else "",
        }

    def request(
        self, understood: Understood, title: str, order: Sequence[str], added: Mapping[str, str]
    ) -> dict[str, Any]:
        """The props of a RequestCard: fields in ``order``, each with its quote, or how it was ``added``."""
        request, asked = understood.request, {**understood.missing, **understood.doubtful}
        fields = [
            {
                "name": name,
                "label": label(name),
                "value": shown(request.get(name, "")),
                "source": f"“{' '.join(words.split())}”"
                if (words := understood.quotes.get(name))
                else added.get(name, ""),
                "open": name in asked,
            }
            for name in sorted({*request, *asked}, key=lambda name: order.index(name) if name in order else len(order))
        ]
        return {"title": title, "fields": fields, "decision": sure(understood.decision)}

    def _waiting(self, view: RunView) -> str:
        asked = [row.card.approvers for row in view.reviews if row.status is ReviewStatus.OPEN]
        people = list(dict.fromkeys(person for approvers in asked for person in approvers))
        return names(self.directory, people, "and") if people else ""

    def _why_not(self, card: ReviewCard, person: Person) -> str:
        try:
            require_may_decide(card, person, self.directory)
        except NotPermitted as error:
            return " ".join(part for part in (str(error), error.hint) if part)
        return ""

    def _args(self, card: ReviewCard) -> list[dict[str, str]]:
        """The exact arguments, in the order in which the tool names them."""
        if card.kind in {ReviewKind.PARKED, ReviewKind.FORM}:
            return []
        if "steps" in card.args:  # a whole plan: a row for each step
            lines = enumerate(card.args["steps"], start=1)
            return [{"name": f"step_{number}", "label": f"Step {number}", "value": line} for number, line in lines]
        order = list(self._schema(card).get("properties", {}))
        ordered = sorted(card.args, key=lambda name: order.index(name) if name in order else len(order))
        return [{"name": name, "label": label(name), "value": shown(card.args[name])} for name in ordered]

    def _schema(self, card: ReviewCard) -> Mapping[str, Any]:
        """The tool's input schema; empty when the tool is not known any more."""
        try:
            return self.inputs(card.tool)
        except NotFound:
            return {}

    def _form(self, card: ReviewCard) -> list[dict[str, Any]] | None:
        if card.kind is ReviewKind.FORM:
            fields = card.args.get("schema", {}).get("properties", {})
            return form_of(card.args["schema"], {name: field.get("default") for name, field in fields.items()})
        schema = self._schema(card)
        return form_of(schema, card.args) if schema else None

    @staticmethod
    def _undo(card: ReviewCard) -> list[str]:
        if card.kind is not ReviewKind.PARKED:
            return []
        return [undo_line(UndoItem.model_validate(item)) for item in card.args.get("undo", ())]

    def _asker(self, card: ReviewCard) -> str:
        verb = "Run started" if card.kind is ReviewKind.PARKED else "Asked for"
        return f"{verb} by {names(self.directory, [card.requester])}"

    def _outcome(self, row: ReviewRow) -> dict[str, Any] | None:
        if row.verdict is None or row.decided_at is None:
            return None
        return {
            "choice": row.verdict.choice.value,
            "word": _word(row),
            "by": names(self.directory, [row.decided_by or ""]),
            "at": row.decided_at.isoformat(),
            "reason": row.verdict.reason,
        }


def _word(row: ReviewRow) -> str:
    if row.verdict is None:
        return row.status.value
    return _ANSWERS.get(row.verdict.response, _DONE[row.verdict.choice])


def _step(step: StepView, directory: Directory) -> dict[str, Any]:
    return {
        "id": step.id,
        "tool": step.tool,
        "state": step.state,
        "reason": step.reason,
        "confidence": f"{step.confidence:.0%}",
        "note": _note(step, directory),
        "ruling": f"{step.ruling.kind.value}: {step.ruling.because}" if step.ruling else "",
        "took": _took(step.began, step.ended),
        "problem": step.problem if step.state != "done" else "",
        "args": pretty(step.args) if step.args else "",
        "output": pretty(step.output) if step.output else "",
    }


def _note(step: StepView, directory: Directory) -> str:
    """What is worth knowing at a glance, or nothing."""
    if step.state == "waiting" and step.ruling and step.ruling.kind is RulingKind.GATE:
        return f"waits for {names(directory, step.waits_for or step.ruling.approvers)}"
    parts = [f"tried {step.retries + 1} times"] if step.retries else []
    if step.reconciled:
        parts.append(f"the answer was lost, looked up: {step.reconciled}")
    if step.state == "found":
        parts.append("was there already")
    if step.state in {"failed", "refused", "skipped"} and step.problem:
        parts.append(step.problem)
    return "; ".join(parts)


def _took(began: datetime | None, ended: datetime | None) -> str:
    return f"{(ended - began).total_seconds():.1f} s" if began and ended else ""
