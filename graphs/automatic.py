"""The yes that no person gives: where the policy allows it and experience bears it out; and how an override ends that."""

from __future__ import annotations

from typing import Any

from governance import events as ev
from governance.chain import Event
from governance.decisions import Decision, DecisionKind
from governance.policy import EARNED, AutoTerms, Ruling
from governance.reviews import Choice, ReviewCard, ReviewStatus, approve
from governance.runs import RelyOn, SideRow, SuspendRule
from graphs.engine import Engine
from graphs.fold import ReviewFold, RunFold
from plans.language import written_id

RULE = "rule:"


async def answered_by_rule(
    engine: Engine, state: RunFold, card: ReviewCard, ruling: Ruling
) -> tuple[Event, list[SideRow]] | None:
    """A yes by rule to this question, bound to the exact action as a person's is; None: people are asked.

    The event is written only if every earned rule that it relies on still holds in that transaction.
    """
    said, worth = card.recommendation, card.experience
    if not ruling.auto or said is None or worth is None or _people_had_a_say(state, card.step):
        return None
    if not all(_holds(engine, card, terms) for terms in ruling.auto):
        return None
    now, names = engine.clock.now(), [terms.rule for terms in ruling.auto]
    earned = [name.removeprefix(EARNED) for name in names if name.startswith(EARNED)]
    for rule in earned:
        if not await engine.autonomy.holds(rule, now):
            return None
    decider = RULE + "+".join(names)
    least = max(terms.confidence_at_least for terms in ruling.auto)
    why = f"the advice is to approve, and {worth.n} decisions like it make that {worth.confidence:.0%} sure"
    decision = Decision(
        kind=DecisionKind.VERDICT,
        subject=card.step,
        choice=Choice.APPROVE.value,
        reasoning=f"{why}; {' and '.join(names)} asks for {least:.0%}",
        confidence=worth.confidence,
        decider=decider,
        evidence=(f"{said.decider} said {said.confidence:.0%}", *(_bounds(terms) for terms in ruling.auto)),
    )
    body = ev.ReviewDecided(
        review_id=card.id,
        step=card.step,
        by=decider,
        verdict=approve(reason=decision.reasoning),
        grants=card.args_digest,
        decision=decision,
    )
    return Event(f"review:{card.id}:automatic", body), [RelyOn(rule, now) for rule in earned]


def is_by_rule(review: ReviewFold) -> bool:
    """Whether no person answered this question, but a rule."""
    return review.by.startswith(RULE)


def suspended_by_verdict(engine: Engine, state: RunFold, review: ReviewFold, choice: Choice) -> list[SideRow]:
    """A person says no, or something else, where an earned rule could have said yes to the same advice."""
    ruling = _ruling(state, review.card.step)
    said = review.card.recommendation
    if ruling is None or said is None or said.choice != "approve" or choice not in {Choice.EDIT, Choice.REJECT}:
        return []
    why = f"a person {'edited' if choice is Choice.EDIT else 'refused'} what it would have let pass"
    return _suspended(engine, [terms.rule for terms in ruling.auto], why)


def suspended_by_undo(engine: Engine, state: RunFold, *, by_person: bool) -> list[SideRow]:
    """A run is taken back: by a person, all that earned rules let pass in it is overridden; else what failed of it."""
    failed = set(state.bad_ends)
    names = [
        name
        for review in state.reviews.values()
        if review.used and is_by_rule(review) and (by_person or review.card.step in failed)
        for name in review.by.removeprefix(RULE).split("+")
    ]
    why = "a person had taken back what it let pass" if by_person else "what it let pass failed and was taken back"
    return _suspended(engine, names, why)


def _suspended(engine: Engine, names: list[str], why: str) -> list[SideRow]:
    earned = dict.fromkeys(name.removeprefix(EARNED) for name in names if name.startswith(EARNED))
    return [SuspendRule(rule, why, engine.clock.now()) for rule in earned]


def _people_had_a_say(state: RunFold, step: str) -> bool:
    """Somebody was asked about this step before in this run, or it is taken up anew: then people go on deciding."""
    before = [review for review in state.reviews.values() if review.card.step == step]
    return state.step(step).life > 0 or any(
        not is_by_rule(review) or review.status is not ReviewStatus.DECIDED for review in before
    )


def _holds(engine: Engine, card: ReviewCard, terms: AutoTerms) -> bool:
    said, worth = card.recommendation, card.experience
    if said is None or worth is None or said.choice != terms.advice:
        return False
    if terms.decider and said.decider != terms.decider:
        return False
    sure = worth.n >= terms.minimum and worth.confidence >= terms.confidence_at_least
    return sure and _within(terms, card.args.get(engine.tools[card.tool].spec.amount))


def _within(terms: AutoTerms, amount: Any) -> bool:
    """What is no number is within no bound."""
    if terms.amount_at_most is None:
        return True
    return isinstance(amount, int | float) and not isinstance(amount, bool) and amount <= terms.amount_at_most


def _bounds(terms: AutoTerms) -> str:
    most = "" if terms.amount_at_most is None else f", at most {terms.amount_at_most:,.0f}"
    return f"{terms.rule}: at least {terms.confidence_at_least:.0%} from {terms.minimum} decisions{most}"


def _ruling(state: RunFold, step: str) -> Ruling | None:
    rulings = state.checked.rulings if state.checked else ()
    return next((ruling for ruling in rulings if ruling.step == written_id(step)), None)
