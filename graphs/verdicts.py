"""Putting a step's question, and answering for people in a dry run."""

from __future__ import annotations

from governance import events as ev
from governance.chain import Event
from governance.decisions import Decision, DecisionKind
from governance.reviews import ReviewCard, ReviewKind, approve
from graphs.automatic import answered_by_rule
from graphs.engine import Engine
from graphs.gates import ask_step
from graphs.live import LiveRun
from graphs.readiness import Ask

SIMULATED = "simulation"


async def ask(engine: Engine, run: LiveRun, move: Ask, *, dry: bool) -> bool:
    """Put the question, or answer it by rule: then it gets no row, for nobody is asked. Nor does it in a dry run.

    True when the answer is there, or will be at the next look, and nobody needs to be waited for.
    """
    event, rows = await ask_step(engine, run.state, move.step, move.args, move.ruling, move.review_id)
    asked = event.body
    if not dry and isinstance(asked, ev.ReviewAsked):
        answer = await answered_by_rule(engine, run.state, asked.card, move.ruling)
        if answer is not None:
            await run.record(event, answer[0], rows=answer[1])
            return True
    run.note(event, rows=() if dry else rows)
    return dry


def simulate_verdicts(run: LiveRun) -> None:
    """Answer every open question of a dry run about an action or a plan, and say that nobody was asked."""
    for card in run.state.open_reviews:
        if card.kind in {ReviewKind.STEP, ReviewKind.PLAN}:
            run.note(Event(f"review:{card.id}:simulated", _simulated(card)))


def _simulated(card: ReviewCard) -> ev.ReviewDecided:
    decision = Decision(
        kind=DecisionKind.VERDICT,
        subject=card.step or card.plan_called,
        choice="approve",
        reasoning="a dry run asks nobody; a real one would ask " + ", ".join(card.approvers),
        confidence=1,
        decider=f"rule:{SIMULATED}",
    )
    return ev.ReviewDecided(
        review_id=card.id,
        step=card.step,
        by=SIMULATED,
        verdict=approve(reason="simulated"),
        grants=card.args_digest,
        decision=decision,
    )
