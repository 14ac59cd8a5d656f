"""Gates: which step may go, which question is put to whom, and what a verdict allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from governance import events as ev
from governance.chain import Event
from governance.effects import Failure
from governance.escalation import first_standing
from governance.policy import Ruling, RulingKind
from governance.reviews import Choice, Grant, ReviewCard, ReviewKind, ReviewStatus, action_digest, review_id
from governance.runs import AskReview, SetTimer, SideRow
from graphs.advice import recommendation
from graphs.engine import Engine
from graphs.escalation import ladder_of
from graphs.fold import ReviewFold, RunFold
from graphs.undo import undo_list
from graphs.wholeplan import PlanQuestion, granted
from plans.language import Step, written_id
from tools.contract import ToolSpec
from tools.deferral import NO_ANSWER

_DID_IT = {NO_ANSWER: "Did this happen? It was accepted, and no answer came; one that still comes counts."}

_PARKED = (
    "This run cannot go on by itself. Resume it when the cause is gone, undo what it did, or close it as it stands."
)
_UNDO_STUCK = (
    "Taking back cannot go on by itself. Resume it when the cause is gone, or close the run with what still stands."
)


class Gate(Enum):
    """Where a step stands before its gate."""

    FREE = "free"
    GRANTED = "granted"
    ASK = "ask"
    ASKED = "asked"
    REFUSED = "refused"


_ANSWERS = (Choice.APPROVE, Choice.EDIT, Choice.REJECT)


@dataclass(frozen=True)
class Standing:
    """A gate's answer for one step and one set of arguments."""

    gate: Gate
    review_id: str = ""
    grant: Grant | None = None
    why: str = ""


def standing(state: RunFold, step: Step, args: dict[str, Any], ruling: Ruling) -> Standing:
    """May ``step`` go with exactly these arguments?"""
    if ruling.kind is RulingKind.GO:
        return Standing(Gate.FREE)
    bound = action_digest(step.tool, args)
    for review in state.reviews.values():
        if review.card.step == step.id and review.grants == bound and not review.used:
            return Standing(
                Gate.GRANTED, review.card.id, Grant(review_id=review.card.id, by=review.by, action_digest=bound)
            )
    with_plan = granted(state, step, args, ruling)
    if with_plan is not None:
        return Standing(Gate.GRANTED, with_plan.review_id, with_plan)
    asked = review_id(state.run_id, step.id, _occasion(state, step.id, bound))
    found = state.reviews.get(asked)
    return Standing(Gate.ASK, asked) if found is None else _of(found, asked)


def _of(review: ReviewFold, asked: str) -> Standing:
    if review.status is ReviewStatus.OPEN:
        return Standing(Gate.ASKED, asked)
    if review.status is ReviewStatus.DECIDED and review.verdict is not None:
        reason = f": {review.verdict.reason}" if review.verdict.reason else ""
        return Standing(Gate.REFUSED, asked, why=f"{review.by} said no{reason}")
    if review.status is ReviewStatus.EXPIRED:
        return Standing(Gate.REFUSED, asked, why=f"{review.closed_why}, and silence is not a yes")
    return Standing(Gate.REFUSED, asked, why="the question was withdrawn")


def _occasion(state: RunFold, step_id: str, bound: str) -> str:
    # A step that was refused and taken up anew, edited and back again, or asked about before a cancel: a new question.
    life = state.step(step_id).life
    over = sum(1 for review in state.reviews.values() if review.card.step == step_id and _void(review))
    return f"{bound}/{life}/{over}" if life or over else bound


def _void(review: ReviewFold) -> bool:
    edited = review.verdict is not None and review.verdict.choice is Choice.EDIT
    return edited or review.status is ReviewStatus.WITHDRAWN


def card_event(card: ReviewCard) -> tuple[Event, list[SideRow]]:
    """The event that a question was put, its row, and the timer at which silence is looked at."""
    rows: list[SideRow] = [AskReview(card)]
    look_at = first_standing(card).next_at
    if look_at is not None:
        rows.append(SetTimer(f"review:{card.id}", look_at))
    return Event(f"review:{card.id}:asked", ev.ReviewAsked(card=card)), rows


def due_of(engine: Engine, state: RunFold, now: datetime) -> datetime:
    """By when those who are asked first are to answer."""
    return now + timedelta(hours=ladder_of(engine, state)[0].hours)


async def ask_step(
    engine: Engine, state: RunFold, step: Step, args: dict[str, Any], ruling: Ruling, asked: str
) -> tuple[Event, list[SideRow]]:
    """The question whether an exact action may happen, with the advisor's recommendation."""
    spec: ToolSpec = engine.tools[step.tool].spec
    requester = state.admitted.requester if state.admitted else ""
    now = engine.clock.now()
    await engine.autonomy.refresh(now)
    advice = await recommendation(engine, state, step, args, ruling)
    playbook = state.admitted.playbook if state.admitted else ""
    return card_event(
        ReviewCard(
            id=asked,
            run_id=state.run_id,
            step=step.id,
            title=state.admitted.title if state.admitted else "",
            tool=step.tool,
            args=args,
            args_digest=action_digest(step.tool, args),
            question=f"May Steward do this: {spec.summary}",
            triggered_by=f"{ruling.rule}: {ruling.because}",
            approvers=ruling.approvers,
            requester=requester,
            requester_may_decide=ruling.requester_may_decide,
            recommendation=advice,
            experience=engine.autonomy.corrected(advice, playbook) if advice else None,
            asked_at=now,
            due_at=due_of(engine, state, now),
            # The plan has one text for all items, so what is asked for one of them cannot be edited there.
            allowed=_ANSWERS if written_id(step.id) == step.id else (Choice.APPROVE, Choice.REJECT),
        )
    )


def ask_outcome(engine: Engine, state: RunFold, step_id: str, failure: Failure) -> tuple[Event, list[SideRow]] | None:
    """The question "did this happen?", or None when it is open already."""
    intent, now = state.step(step_id).intent, engine.clock.now()
    if intent is None:
        return None
    before = [r for r in state.reviews.values() if r.card.step == step_id and r.card.kind is ReviewKind.OUTCOME]
    if any(review.status is ReviewStatus.OPEN for review in before):
        return None
    asked = review_id(state.run_id, step_id, f"{intent.key}/{len(before)}", ReviewKind.OUTCOME)
    ruled = written_id(step_id)
    ruling = next((r for r in (state.checked.rulings if state.checked else ()) if r.step == ruled), None)
    people = ruling.approvers if ruling and ruling.approvers else _owners(engine, state)
    return card_event(
        ReviewCard(
            id=asked,
            run_id=state.run_id,
            kind=ReviewKind.OUTCOME,
            step=step_id,
            title=state.admitted.title if state.admitted else "",
            tool=intent.tool,
            args=intent.args,
            args_digest=action_digest(intent.tool, intent.args),
            question=_DID_IT.get(
                failure.code, "Did this happen? The system's answer was lost, and it cannot be asked."
            ),
            triggered_by=f"an unclear outcome: {failure.message}",
            approvers=people,
            requester=state.admitted.requester if state.admitted else "",
            requester_may_decide=True,
            asked_at=now,
            due_at=due_of(engine, state, now),
            allowed=(Choice.RESPOND,),
        )
    )


def ask_plan(
    engine: Engine, state: RunFold, plan_digest: str, question: PlanQuestion, approvers: tuple[str, ...]
) -> tuple[str, Event, list[SideRow]]:
    """The question whether a run may go on with its current revision: the review's id, the event, and its rows."""
    now = engine.clock.now()
    card = ReviewCard(
        id=review_id(state.run_id, "", f"plan/{state.revision}/{plan_digest}", ReviewKind.PLAN),
        run_id=state.run_id,
        kind=ReviewKind.PLAN,
        title=state.admitted.title if state.admitted else "",
        args=question.args,
        args_digest=plan_digest,
        question=question.sentence,
        triggered_by=question.because,
        approvers=approvers,
        requester=state.admitted.requester if state.admitted else "",
        recommendation=state.written.decision if state.written else None,
        asked_at=now,
        due_at=due_of(engine, state, now),
        allowed=(Choice.APPROVE, Choice.REJECT),
    )
    return (card.id, *card_event(card))


def ask_parked(engine: Engine, state: RunFold, reason: str) -> tuple[Event, list[SideRow]]:
    """The question what to do with a run that cannot go on by itself; its undo list is on the card."""
    items, now = undo_list(state, engine.specs), engine.clock.now()
    return card_event(
        ReviewCard(
            id=review_id(state.run_id, "", f"parked/{state.resumes}/{state.seq}", ReviewKind.PARKED),
            run_id=state.run_id,
            kind=ReviewKind.PARKED,
            title=state.admitted.title if state.admitted else "",
            args={
                "undo": [item.model_dump(mode="json") for item in items],
                **({"undoing": True} if state.undoing else {}),
                **_best_plan(state),
            },
            question=_UNDO_STUCK if state.undoing else _PARKED,
            triggered_by=reason,
            approvers=_owners(engine, state),
            requester=state.admitted.requester if state.admitted else "",
            requester_may_decide=True,
            asked_at=now,
            due_at=due_of(engine, state, now),
            allowed=(Choice.RESPOND,),
        )
    )


def _best_plan(state: RunFold) -> dict[str, Any]:
    """Where no plan passed its check: the best of them, with what the checker says, for people to see."""
    best = state.best
    if best is None or state.stopped or state.bad_ends:
        return {}
    findings = [finding.model_dump(mode="json") for finding in best.checked.findings]
    return {"plan": best.written.plan, "findings": findings}


def _owners(engine: Engine, state: RunFold) -> tuple[str, ...]:
    """Who answers for a run: its requester, then the playbook's escalation chain."""
    playbook = engine.playbooks.get(state.admitted.playbook) if state.admitted else None
    chain = [p.id for role in (playbook.chain if playbook else ()) for p in engine.directory.members_of(role)]
    requester = [state.admitted.requester] if state.admitted else []
    return tuple(dict.fromkeys([*requester, *chain]))
