"""What a run waits for: for its interrupt's payload, for lists, and for people who ask."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.reviews import ReviewCard, ReviewKind
from graphs.fold import RunFold, StepFold


@dataclass(frozen=True)
class Waits:
    """Ids of open reviews, steps that wait for a moment, and the earliest such moment."""

    reviews: tuple[str, ...]
    steps: tuple[str, ...]
    until: datetime | None
    sentence: str

    def payload(self) -> dict[str, Any]:
        """Plain JSON, without personal data: what the interrupt shows."""
        until = self.until.isoformat() if self.until else None
        return {"reviews": list(self.reviews), "steps": list(self.steps), "until": until}


def waiting_for(state: RunFold) -> Waits:
    """What the run waits for at this point of its journal."""
    cards = state.open_reviews
    timed = _timed(state)
    moments = [step.until for step in timed.values() if step.until is not None]
    moments += [at for card in cards if (at := state.reviews[card.id].escalation.next_at) is not None]
    parts = [_asked(card) for card in cards]
    parts += [f"{step_id} ({step.waiting_why})" for step_id, step in timed.items()]
    return Waits(tuple(card.id for card in cards), tuple(timed), min(moments, default=None), ", ".join(parts))


def _timed(state: RunFold) -> dict[str, StepFold]:
    """The steps about which something can be done at their moment. A look at any other would come to nothing, again and again."""
    if state.parked is not None:
        return {}
    asked = {card.step for card in state.open_reviews if card.kind is ReviewKind.OUTCOME}
    # A run that stops begins nothing but undos: what else waits without an intent has no moment any more.
    begins = not state.failing or state.undoing is not None
    return {
        step_id: step
        for step_id, step in (state.undos if state.undoing is not None else state.steps).items()
        if step.ended is None and step.until is not None and step_id not in asked and (step.open or begins)
    }


def _asked(card: ReviewCard) -> str:
    step = card.step
    return {
        ReviewKind.STEP: f"a review of {step}",
        ReviewKind.FORM: f"answers for {step}",
        ReviewKind.OUTCOME: f"word whether {step} happened",
        ReviewKind.PLAN: f"a review of {card.plan_called}",
        ReviewKind.PARKED: "somebody to resume, undo or close it",
    }[card.kind]
