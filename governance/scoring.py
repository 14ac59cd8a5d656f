"""Scoring: what came of each decision of a run, read from its journal. Pure; the same journal gives the same scores.

Scored is what a rule or a model decided, once it is known what came of it. What a person decided is the measure and is
not measured itself; what a rule let pass does not count for the advice that it relied on, or a rule would confirm itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from governance import events as ev
from governance.chain import Entry
from governance.decisions import Decision, DecisionKind
from governance.effects import EffectClass, StepStatus
from governance.policy import Ruling, RulingKind
from governance.reviews import Choice, ReviewCard, ReviewKind
from governance.scores import Outcome, Score, magnitude

PERSON, RULE = "person:", "rule:"
INTERPRETED_NOTHING = "rule:typed-request"
"""Who understands a request that came typed: it was not interpreted, so nothing can have been wrong."""


@dataclass(frozen=True)
class Scored:
    """A run's scores so far. ``settled``: it has ended, and nothing will change them any more."""

    scores: tuple[Score, ...] = ()
    settled: bool = False


@dataclass
class _Run:
    """What the journal says, in the order in which scoring asks for it."""

    amounts: Mapping[str, str]
    admitted: ev.RunAdmitted | None = None
    understood: tuple[Entry, ev.RequestUnderstood] | None = None
    plans: list[tuple[Entry, ev.PlanWritten]] = field(default_factory=list)
    checks: dict[int, ev.PlanChecked] = field(default_factory=dict)
    asked: dict[str, tuple[Entry, ReviewCard, Ruling | None]] = field(default_factory=dict)
    answers: dict[str, tuple[Entry, ev.ReviewDecided]] = field(default_factory=dict)
    went: list[tuple[Entry, ev.StepIntended, Ruling]] = field(default_factory=list)
    diagnosed: list[tuple[Entry, ev.FailureDiagnosed]] = field(default_factory=list)
    ends: dict[str, list[tuple[int, StepStatus]]] = field(default_factory=dict)
    cancel: ev.CancelAsked | None = None
    undoing: ev.UndoBegun | None = None
    resumed: bool = False
    ended: ev.RunEnded | None = None

    def ruling(self, step: str) -> Ruling | None:
        """What the policy said last about a step, or about the step that it is an item of."""
        checked = self.checks[max(self.checks)] if self.checks else None
        name = step.partition("[")[0]
        return next((ruling for ruling in (checked.rulings if checked else ()) if ruling.step == name), None)

    @property
    def taken_back(self) -> frozenset[str]:
        """The steps whose effects a person had taken back."""
        by_person = self.undoing is not None and not self.undoing.by.startswith((RULE, "playbook:", "model:"))
        return frozenset(item.step for item in self.undoing.items) if self.undoing and by_person else frozenset()

    def score(self, at: Entry, decision: Decision, outcome: Outcome, **more: Any) -> Score:
        """A score of this run."""
        return Score(
            run_id=at.run_id,
            seq=at.seq,
            at=at.at,
            kind=decision.kind,
            playbook=self.admitted.playbook if self.admitted else "",
            decider=decision.decider,
            confidence=decision.confidence,
            outcome=outcome,
            **more,
        )

    def money(self, tool: str, args: Mapping[str, object]) -> float | None:
        """About how much a call moves."""
        return magnitude(args.get(self.amounts[tool])) if self.amounts.get(tool) else None


def scored(entries: Iterable[Entry], amounts: Mapping[str, str]) -> Scored:
    """The scores of one run, from its first entry on. ``amounts``: for each tool the argument that is money, if any.

    A dry run decides nothing, and an erased one says nothing any more.
    """
    run = _Run(amounts)
    for entry in entries:
        body = entry.parsed()
        if body is None:
            return Scored(settled=True)
        note = _NOTES.get(type(body))
        if note is not None:
            note(run, entry, body)
    if run.admitted is None or run.admitted.dry:
        return Scored(settled=True)
    found = [*_triage(run), *_plans(run), *_advice(run), *_automatic(run), *_let_go(run), *_diagnoses(run)]
    return Scored(tuple(sorted(found, key=lambda score: score.seq)), run.ended is not None)


def _triage(run: _Run) -> Iterator[Score]:
    """Right once the run came to its end; overridden when its requester cancelled it."""
    if run.understood is None or run.admitted is None or run.ended is None:
        return
    at, body = run.understood
    if body.decision.decider == INTERPRETED_NOTHING or body.decision.decider.startswith(PERSON):
        return
    withdrawn = run.cancel is not None and run.cancel.by == run.admitted.requester
    yield run.score(at, body.decision, Outcome.OVERRIDDEN if withdrawn else Outcome.RIGHT)


def _plans(run: _Run) -> Iterator[Score]:
    """Right when it ran through; overridden when a person wrote the next revision, or had what it did taken back."""
    for number, (at, body) in enumerate(run.plans):
        if body.author.startswith(PERSON):
            continue
        later = run.plans[number + 1][1] if number + 1 < len(run.plans) else None
        checked = run.checks.get(body.revision)
        if later is not None and later.author.startswith(PERSON):
            outcome = Outcome.OVERRIDDEN
        elif later is not None or (checked is not None and not checked.ok and run.ended is not None):
            outcome = Outcome.FAILED
        elif run.ended is None:
            continue
        elif run.ended.status == "done":
            outcome = Outcome.RIGHT
        elif run.cancel is not None and not run.taken_back:
            continue  # nothing of it was done, so nothing is known of it
        else:
            outcome = Outcome.OVERRIDDEN if run.taken_back else Outcome.FAILED
        yield run.score(at, body.decision, outcome)


def _advice(run: _Run) -> Iterator[Score]:
    """Against a person's verdict. ``look`` says that there is something to see: right when it was not simply approved."""
    for review_id, (at, card, ruling) in run.asked.items():
        answer, said = run.answers.get(review_id), card.recommendation
        if answer is None or said is None or card.kind is not ReviewKind.STEP or answer[1].by.startswith(RULE):
            continue
        approved = answer[1].verdict.choice is Choice.APPROVE
        agrees = approved == (said.choice == "approve")
        yield run.score(
            at,
            said,
            Outcome.RIGHT if agrees else Outcome.OVERRIDDEN,
            tool=card.tool,
            choice=said.choice,
            rule=" ".join((ruling.gates or (ruling.rule,)) if ruling else ()),
            magnitude=run.money(card.tool, card.args),
        )


def _automatic(run: _Run) -> Iterator[Score]:
    """A yes that no person gave: overridden when a person took back what it let pass."""
    for review_id, (at, body) in run.answers.items():
        if not body.by.startswith(RULE) or run.ended is None or review_id not in run.asked:
            continue
        card = run.asked[review_id][1]
        yield run.score(
            at,
            body.decision,
            _stood(run, card.step),
            tool=card.tool,
            choice="approve",
            rule=body.by.removeprefix(RULE),
            magnitude=run.money(card.tool, card.args),
        )


def _let_go(run: _Run) -> Iterator[Score]:
    """Effects that no gate stood before."""
    for at, body, ruling in run.went:
        if run.ended is None:
            return
        intent = body.intent
        decision = Decision(
            kind=DecisionKind.RULING,
            subject=intent.step,
            choice="go",
            reasoning=ruling.because,
            confidence=1,
            decider=f"{RULE}{ruling.rule}",
        )
        money = run.money(intent.tool, intent.args)
        yield run.score(
            at, decision, _stood(run, intent.step), tool=intent.tool, choice="go", rule=ruling.rule, magnitude=money
        )


def _stood(run: _Run, step: str) -> Outcome:
    if step in run.taken_back:
        return Outcome.OVERRIDDEN
    ends = run.ends.get(step)
    return Outcome.FAILED if ends and ends[-1][1] is StepStatus.FAILED else Outcome.RIGHT


def _diagnoses(run: _Run) -> Iterator[Score]:
    """Retry: did the step work then? Replan: did the run come through? Compensate: or did a person resume it? Ask: no claim."""
    for at, body in run.diagnosed:
        outcome = _diagnosed(run, at.seq, body)
        if outcome is not None and not body.decision.decider.startswith(PERSON):
            yield run.score(at, body.decision, outcome, choice=body.choice.value)


def _diagnosed(run: _Run, seq: int, body: ev.FailureDiagnosed) -> Outcome | None:
    later = [status for ended_at, status in run.ends.get(body.step, ()) if ended_at > seq]
    if body.choice is ev.Recovery.RETRY and (later or run.ended):
        return Outcome.RIGHT if StepStatus.DONE in later else Outcome.FAILED
    if run.ended is None or body.choice is ev.Recovery.ASK:
        return None
    if body.choice is ev.Recovery.REPLAN and run.ended.status == "done":
        return Outcome.OVERRIDDEN if run.resumed else Outcome.RIGHT
    if body.choice is ev.Recovery.COMPENSATE and run.ended.status == "undone":
        return Outcome.RIGHT
    return Outcome.OVERRIDDEN if run.resumed or run.taken_back or run.cancel else Outcome.FAILED


def _asked(run: _Run, entry: Entry, body: ev.ReviewAsked) -> None:
    run.asked[body.card.id] = entry, body.card, run.ruling(body.card.step)


def _answered(run: _Run, entry: Entry, body: ev.ReviewDecided) -> None:
    run.answers[body.review_id] = entry, body


def _checked(run: _Run, _: Entry, body: ev.PlanChecked) -> None:
    run.checks[body.revision] = body


def _intended(run: _Run, entry: Entry, body: ev.StepIntended) -> None:
    ruling = run.ruling(body.intent.step)
    is_effect = body.intent.effect is not EffectClass.READ and not body.intent.step.startswith("undo:")
    if is_effect and ruling is not None and ruling.kind is RulingKind.GO:
        run.went.append((entry, body, ruling))


def _ended_step(run: _Run, entry: Entry, body: ev.StepEnded) -> None:
    run.ends.setdefault(body.step, []).append((entry.seq, body.status))


def _setter(name: str) -> Callable[[_Run, Entry, Any], None]:
    return lambda run, _, body: setattr(run, name, body)


_NOTES: Mapping[type, Callable[[_Run, Entry, Any], None]] = {
    ev.RunAdmitted: _setter("admitted"),
    ev.RequestUnderstood: lambda run, entry, body: setattr(run, "understood", (entry, body)),
    ev.PlanWritten: lambda run, entry, body: run.plans.append((entry, body)),
    ev.PlanChecked: _checked,
    ev.ReviewAsked: _asked,
    ev.ReviewDecided: _answered,
    ev.StepIntended: _intended,
    ev.StepEnded: _ended_step,
    ev.FailureDiagnosed: lambda run, entry, body: run.diagnosed.append((entry, body)),
    ev.CancelAsked: _setter("cancel"),
    ev.UndoBegun: _setter("undoing"),
    ev.RunResumed: lambda run, _entry, _body: setattr(run, "resumed", True),
    ev.RunEnded: _setter("ended"),
}
