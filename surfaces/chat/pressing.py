"""What an open question has come to, for its card: escalated, reminded, at risk. The page words the moments."""

from __future__ import annotations

from governance.escalation import STAYS, Escalation
from governance.reviews import ReviewKind


def pressing(escalation: Escalation | None, kind: ReviewKind) -> list[dict[str, str]]:
    """A mark a line, ``{"word", "at", "mood"}``: no ages, so that a card is redrawn only when something happened."""
    if escalation is None:
        return []
    found = []
    if escalation.level:
        found.append(_mark(f"Escalated to level {escalation.level}", escalation.asked_at.isoformat(), "calm"))
    if escalation.reminded_at is not None:
        times = f", {escalation.reminders} times by now" if escalation.reminders > 1 else ""
        found.append(_mark(f"Reminded{times}", escalation.reminded_at.isoformat(), "calm"))
    if escalation.at_risk_at is not None and escalation.due_at is not None:
        then = "it is refused" if escalation.ends and kind not in STAYS else "it goes further up"
        found.append(_mark(f"At risk: without an answer {then}", escalation.due_at.isoformat(), "risk"))
    return found


def _mark(word: str, at: str, mood: str) -> dict[str, str]:
    return {"word": word, "at": at, "mood": mood}
