"""Putting a step's question, closing those that nobody answered, and answering for people in a dry run."""

from __future__ import annotations

from governance import events as ev
from governance.chain import Event
from governance.decisions import Decision, DecisionKind
from governance.reviews import ReviewCard, ReviewKind, ReviewStatus, approve
from governance.runs import CloseReview
from graphs.engine import Engine
from graphs.gates import ask_step
from graphs.live import LiveRun
from graphs.readiness import Ask

SIMULATED = "simulation"


async def ask(engine: Engine, run: LiveRun, move: Ask, *, dry: bool) -> None:
    """Put the question. In a dry run it gets no row: nobody is asked about what will not happen."""
    event, rows = await ask_step(engine, run.state, move.step, move.args, move.ruling, move.review_id)
    await run.record(event, rows=() if dry else rows)


async def simulate_verdicts(run: LiveRun) -> None:
    """Answer every open question of a dry run about an action, and say that nobody was asked."""
    for card in run.state.open_reviews:
        if card.kind is ReviewKind.STEP:
            await run.record(Event(f"review:{card.id}:simulated", _simulated(card)))


def _simulated(card: ReviewCard) -> ev.ReviewDecided:
    decision = Decision(
        kind=DecisionKind.VERDICT,
        subject=card.step,
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


async def close_expired(engine: Engine, run: LiveRun) -> None:
    """Close reviews whose time is over. Silence is a refusal, never a yes."""
    now = engine.clock.now()
    for card in run.state.open_reviews:
        if card.due_at is not None and card.due_at <= now:
            why = f"nobody answered by {card.due_at:%Y-%m-%d %H:%M} UTC"
            body = ev.ReviewClosed(review_id=card.id, step=card.step, status="expired", why=why)
            await run.record(
                Event(f"review:{card.id}:closed", body), rows=[CloseReview(card.id, ReviewStatus.EXPIRED, why)]
            )
