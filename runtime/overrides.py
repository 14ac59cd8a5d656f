"""Which decisions people went against: the rules of what counts as an override, applied as a journal is read.

An override is a later decision by a person about the same thing that differs. A question that a rule or a model left to
people (a gate, ``ask``, ``look``) is answered by their decision, not overridden.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from governance.events import Recovery
from governance.policy import RulingKind
from governance.record import DecisionRecord, Override
from governance.reviews import Choice, ReviewCard, ReviewKind, Verdict
from plans.language import written_id

_SAME_AS: Mapping[Recovery, str] = {Recovery.RETRY: "resume", Recovery.COMPENSATE: "undo"}
"""The answer to a parked run that does what a diagnosis proposed."""
_OPEN = frozenset({"ask", "look"})
"""Advice that takes no side."""


class Ledger:
    """The records so far, and what of them may still be overridden."""

    def __init__(self) -> None:
        self._records: dict[str, DecisionRecord] = {}
        self._cards: dict[str, ReviewCard] = {}
        self._advice: dict[str, str] = {}
        self._gates: dict[str, str] = {}
        self._refused: dict[str, str] = {}
        self._by_itself: dict[str, str] = {}
        self._diagnoses: dict[str, Recovery] = {}
        self._plan = ""
        self._sent_on = ""

    @property
    def records(self) -> tuple[DecisionRecord, ...]:
        """All of them, in order."""
        return tuple(self._records.values())

    def add(self, record: DecisionRecord) -> None:
        """Take a record in."""
        self._records[record.id] = record

    def planned(self, record: DecisionRecord) -> None:
        """A plan was written: a person's goes against the last one by a planner."""
        if not record.by_person:
            self._plan = record.id
        elif self._plan:
            self._overridden(self._plan, record)

    def ruled(self, record: DecisionRecord) -> None:
        """The policy ruled on a step: its word before is void, and so is a gate."""
        self._gates.pop(record.step, None)
        if record.choice == RulingKind.GATE:
            self._gates[record.step] = record.id

    def asked(self, card: ReviewCard) -> None:
        """A question was put."""
        self._cards[card.id] = card

    def advised(self, record: DecisionRecord) -> None:
        """With a recommendation."""
        self._advice[record.review] = record.id

    def answered(self, record: DecisionRecord, verdict: Verdict) -> None:
        """A question was answered, by a person or by a rule in their place."""
        card = self._cards.get(record.review)
        kind = card.kind if card else ReviewKind.STEP
        if not record.by_person:
            self._by_itself[record.step] = record.id
        else:
            self._against_advice(record, verdict)
            self._against_rules(record, verdict)
            if kind is ReviewKind.PLAN and verdict.choice is Choice.REJECT and self._plan:
                self._overridden(self._plan, record)
        if kind is ReviewKind.STEP and verdict.choice is Choice.REJECT:
            self._refused[record.step] = record.id
        if kind is ReviewKind.PARKED:
            self._decided_parked(record, verdict.response)

    def silenced(self, record: DecisionRecord) -> None:
        """Nobody answered in time, and the rule made that a no."""
        self._refused[record.step] = record.id

    def diagnosed(self, record: DecisionRecord, choice: Recovery) -> None:
        """A failure was diagnosed."""
        self._diagnoses[record.id] = choice

    def sent_on(self, record: DecisionRecord) -> None:
        """A person sent a parked run on, unasked."""
        self._decided_parked(record, "resume")

    def taken_up(self, steps: Iterable[str]) -> None:
        """What had been refused is begun anew, because of the decision that sent the run on."""
        for step in steps:
            refused = self._refused.pop(step, "")
            if refused and self._sent_on:
                self._overridden(refused, self._records[self._sent_on])
        self._sent_on = ""

    def _against_advice(self, record: DecisionRecord, verdict: Verdict) -> None:
        advice = self._records.get(self._advice.get(record.review, ""))
        if advice is not None and advice.choice not in _OPEN | {verdict.choice.value, verdict.response}:
            self._overridden(advice.id, record)

    def _against_rules(self, record: DecisionRecord, verdict: Verdict) -> None:
        if verdict.choice is Choice.EDIT and (gate := self._gates.get(written_id(record.step))):
            self._overridden(gate, record)
        before = self._records.get(self._by_itself.pop(record.step, ""))
        if before is not None and before.choice not in {verdict.choice.value, verdict.response}:
            self._overridden(before.id, record)

    def _decided_parked(self, record: DecisionRecord, response: str) -> None:
        """What a person chose for a parked run, against what was diagnosed since it went on last."""
        for diagnosis, choice in self._diagnoses.items():
            if record.by_person and choice is not Recovery.ASK and _SAME_AS.get(choice) != response:
                self._overridden(diagnosis, record)
        self._diagnoses = {}
        self._sent_on = record.id if record.by_person and response == "resume" else ""

    def _overridden(self, record_id: str, by: DecisionRecord) -> None:
        old, new = self._records[record_id], self._records[by.id]
        if any(each.record == by.id for each in old.overridden):
            return
        override = Override(
            record=by.id,
            by=by.decider.removeprefix("person:"),
            at=by.at,
            choice=by.choice,
            why=by.reasoning,
        )
        self._records[record_id] = old.model_copy(update={"overridden": (*old.overridden, override)})
        self._records[by.id] = new.model_copy(update={"overrides": (*new.overrides, record_id)})
