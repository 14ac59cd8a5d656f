"""Putting a step's question, closing those that nobody answered, and answering for people in a dry run."""

from __future__ import annotations

from governance import events as ev
from governance.chain import Event
from governance.decisions import Decision, DecisionKind
from governance.reviews import ReviewStatus, approve
from governance.runs import CloseReview
from graphs.engine import Engine
from graphs.gates import ask_step
from graphs.live import LiveRun
from graphs.readiness import Ask

SIMULATED = "simulation"


async def ask(engine: Engine, run: LiveRun, move: Ask, *, dry: bool) -> None:
    """Put the question. A dry run answers it itself, and says so: nobody is asked about what will not happen."""
    event, rows = await ask_step(engine, run.state, move.step, move.args, move.ruling, move.review_id)
    if not dry:
        await run.record(event, rows=rows)
        return
    decision = Decision(
        kind=DecisionKind.VERDICT,
        subject=move.step.id,
        choice="approve",
        reasoning="a dry run asks nobody; a real one would ask " + ", ".join(move.ruling.approvers),
        confidence=1,
        decider=f"rule:{SIMULATED}",
    )
    answer = ev.ReviewDecided(
        review_id=move.review_id,
        step=move.step.id,
        by=SIMULATED,
        verdict=approve(reason="simulated"),
        grants=_digest(event),
        decision=decision,
    )
    await run.record(event, Event(f"review:{move.review_id}:simulated", answer))


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


def _digest(event: Event) -> str:
    return event.body.card.args_digest if isinstance(event.body, ev.ReviewAsked) else ""
