"""The decision record of a run, made from its journal and nothing else: pure, total, one pass.

What was erased leaves a record that says so, where the kind of an entry alone shows that something was decided.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from governance import events as ev
from governance.chain import Entry
from governance.decisions import Decision, DecisionKind
from governance.policy import Ruling
from governance.record import DecisionRecord, PlannedStep, RulingNote
from governance.reviews import ReviewKind
from plans.language import written_id
from runtime.overrides import Ledger

ESCALATION, SILENCE = "rule:escalation", "rule:silence-is-no"
_ERASED: Mapping[str, DecisionKind] = {
    "request.understood": DecisionKind.TRIAGE,
    "plan.written": DecisionKind.PLAN,
    "plan.checked": DecisionKind.RULING,
    "step.chosen": DecisionKind.CHOICE,
    "review.decided": DecisionKind.VERDICT,
    "failure.diagnosed": DecisionKind.DIAGNOSIS,
    "cancel.asked": DecisionKind.INTERVENTION,
    "run.resumed": DecisionKind.INTERVENTION,
}
KINDS: tuple[str, ...] = (*_ERASED, "run.admitted", "review.asked", "review.closed", "review.escalated", "undo.begun")
"""The kinds of entries that decisions are read from; others may be left out."""
_LEFT = "inbox:"  # the cause of what a person left for the run, unasked


def decisions_of(entries: Iterable[Entry]) -> tuple[DecisionRecord, ...]:
    """Every decision in the journal of one run, in order.

    ``entries`` are the run's, at least those of :data:`KINDS`, from the first on.

    Raises:
        pydantic.ValidationError: a body is not an event of a known kind.

    """
    reading = _Reading()
    for entry in entries:
        reading.take(entry)
    return reading.ledger.records


class _Reading:
    """One pass over a run's journal."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._playbook = ""
        self._rulings: dict[str, Ruling] = {}
        self._entry: Entry
        self._nth = 0

    def take(self, entry: Entry) -> None:
        """Read the next entry."""
        self._entry, self._nth = entry, 0
        body = entry.parsed() if entry.kind in KINDS else None
        if body is not None:
            read = _READ.get(type(body))
            if read is not None:
                read(self, body)
        elif entry.body is None and entry.kind in _ERASED and self._is_decision(entry):
            self._add(_ERASED[entry.kind], erased=True)

    @staticmethod
    def _is_decision(entry: Entry) -> bool:
        """A resume that only carries out a verdict is none."""
        return entry.kind != "run.resumed" or entry.cause.startswith(_LEFT)

    def _add(self, kind: DecisionKind, *, step: str = "", **said: Any) -> DecisionRecord:
        entry = self._entry
        ruling = self._rulings.get(written_id(step)) if step else None
        record = DecisionRecord(
            id=f"{entry.run_id}/{entry.seq}/{self._nth}",
            run_id=entry.run_id,
            playbook=self._playbook,
            seq=entry.seq,
            at=entry.at,
            hash=entry.hash.hex(),
            kind=kind,
            step=step,
            ruling=_note(ruling) if ruling else None,
            **said,
        )
        self._nth += 1
        self.ledger.add(record)
        return record

    def _decided(
        self, decision: Decision, *, kind: DecisionKind | None = None, step: str = "", **said: Any
    ) -> DecisionRecord:
        told = {name: getattr(decision, name) for name in type(decision).model_fields if name != "kind"}
        return self._add(kind or decision.kind, step=step, **told, **said)

    def admitted(self, body: ev.RunAdmitted) -> None:
        self._playbook = body.playbook

    def understood(self, body: ev.RequestUnderstood) -> None:
        self._decided(body.decision, kind=DecisionKind.TRIAGE)

    def written(self, body: ev.PlanWritten) -> None:
        planned = tuple(_planned(body.plan))
        edited = body.author.startswith("person:") and body.decision.subject in {each.step for each in planned}
        record = self._decided(
            body.decision,
            kind=DecisionKind.PLAN,
            step=body.decision.subject if edited else "",
            revision=body.revision,
            planned=planned,
        )
        self.ledger.planned(record)

    def checked(self, body: ev.PlanChecked) -> None:
        self._rulings = {ruling.step: ruling for ruling in body.rulings}
        for ruling in body.rulings:
            record = self._add(
                DecisionKind.RULING,
                step=ruling.step,
                subject=ruling.step,
                choice=ruling.kind.value,
                reasoning=ruling.because,
                confidence=1.0,
                evidence=tuple(f"may be decided by {person}" for person in ruling.approvers),
                decider=f"rule:{ruling.rule}",
                revision=body.revision,
            )
            self.ledger.ruled(record)

    def asked(self, body: ev.ReviewAsked) -> None:
        card, advice = body.card, body.card.recommendation
        self.ledger.asked(card)
        # A revised plan's question shows the planner's own decision, which is recorded where the plan was written.
        if advice is None or card.kind is ReviewKind.PLAN:
            return
        if card.kind is ReviewKind.FORM:  # an agent that was not sure enough left it to people: that is no advice
            self._decided(advice, kind=DecisionKind.CHOICE, step=card.step, review=card.id)
            return
        self.ledger.advised(self._decided(advice, kind=DecisionKind.ADVICE, step=card.step, review=card.id))

    def answered(self, body: ev.ReviewDecided) -> None:
        record = self._decided(body.decision, kind=DecisionKind.VERDICT, step=body.step, review=body.review_id)
        self.ledger.answered(record, body.verdict)

    def chosen(self, body: ev.StepChosen) -> None:
        self._decided(body.decision, step=body.step)

    def escalated(self, body: ev.ReviewEscalated) -> None:
        if body.added:  # else nothing was decided: there is nobody on this level, or the chain is at its end
            people = ", ".join(body.added)
            self._by_rule(ESCALATION, body.step, f"also ask {people}", body.why, review=body.review_id)

    def closed(self, body: ev.ReviewClosed) -> None:
        if body.status == "expired":
            self.ledger.silenced(self._by_rule(SILENCE, body.step, "refuse", body.why, review=body.review_id))

    def diagnosed(self, body: ev.FailureDiagnosed) -> None:
        self.ledger.diagnosed(self._decided(body.decision, kind=DecisionKind.DIAGNOSIS, step=body.step), body.choice)

    def cancelled(self, body: ev.CancelAsked) -> None:
        self._intervened(body.by, "cancel", body.reason)

    def resumed(self, body: ev.RunResumed) -> None:
        if self._is_decision(self._entry):
            self.ledger.sent_on(self._intervened(body.by, "resume", body.reason))
        self.ledger.taken_up(body.steps)

    def undone(self, body: ev.UndoBegun) -> None:
        if body.by.startswith("playbook:"):  # a person's word, or a diagnosis, is recorded where it was said
            self._add(
                DecisionKind.DIAGNOSIS,
                subject="the run",
                choice="compensate",
                reasoning=body.why,
                confidence=1.0,
                evidence=tuple(f"takes back {item.step}" for item in body.items),
                decider=f"rule:{body.by}",
            )

    def _intervened(self, by: str, choice: str, why: str) -> DecisionRecord:
        return self._add(
            DecisionKind.INTERVENTION,
            subject="the run",
            choice=choice,
            reasoning=why,
            confidence=1.0,
            decider=f"person:{by}",
        )

    def _by_rule(self, rule: str, step: str, choice: str, why: str, *, review: str) -> DecisionRecord:
        return self._add(
            DecisionKind.ESCALATION,
            step=step,
            subject=step or "the run",
            choice=choice,
            reasoning=why,
            confidence=1.0,
            decider=rule,
            review=review,
        )


def _note(ruling: Ruling) -> RulingNote:
    return RulingNote(kind=ruling.kind, rule=ruling.rule, because=ruling.because)


def _planned(document: Mapping[str, Any]) -> Iterable[PlannedStep]:
    """The steps of a plan as written, right or wrong: what has no id and tool is left out."""
    steps = document.get("steps")
    for step in steps if isinstance(steps, list) else ():
        if not isinstance(step, Mapping) or not step.get("id") or not step.get("tool"):
            continue
        sure = step.get("confidence")
        known = isinstance(sure, int | float) and 0 <= sure <= 1
        yield PlannedStep(
            step=str(step["id"]),
            tool=str(step["tool"]),
            reason=str(step.get("reason") or ""),
            confidence=sure if known else None,
        )


_READ: Mapping[type, Callable[[_Reading, Any], None]] = {
    ev.RunAdmitted: _Reading.admitted,
    ev.RequestUnderstood: _Reading.understood,
    ev.PlanWritten: _Reading.written,
    ev.PlanChecked: _Reading.checked,
    ev.ReviewAsked: _Reading.asked,
    ev.StepChosen: _Reading.chosen,
    ev.ReviewDecided: _Reading.answered,
    ev.ReviewEscalated: _Reading.escalated,
    ev.ReviewClosed: _Reading.closed,
    ev.FailureDiagnosed: _Reading.diagnosed,
    ev.CancelAsked: _Reading.cancelled,
    ev.RunResumed: _Reading.resumed,
    ev.UndoBegun: _Reading.undone,
}
