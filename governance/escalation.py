"""How far a question has gone up the chain, and when something is due about it: times only, on business time.

The people of each level get the level's full time from the moment at which they were really asked. At half of it they
are reminded, at four fifths people are warned, at its end the question goes up. At the end of the chain it is refused,
or, where there is nothing to refuse (:data:`STAYS`), it stays open and people are reminded daily for thirty days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from governance.reviews import ReviewCard, ReviewKind

REMIND_AT = 0.5
RISK_AT = 0.8
AGAIN = timedelta(days=1)
MOST_REMINDERS = 30
STAYS = frozenset({ReviewKind.OUTCOME, ReviewKind.PARKED})
"""Kinds of questions that silence does not answer: they are about what has happened, not about what may happen."""
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


class Level(BaseModel):
    """Who is asked next: ``after_hours`` of business time after the question was put, counted without downtime.

    ``to`` holds role names, ``person:<e-mail>``, or ``manager``: the managers of those who were asked before.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    after_hours: float = Field(gt=0)
    to: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Rung:
    """A level as it is climbed: who is asked (nobody more on level 0), and how long they have, in hours."""

    to: tuple[str, ...]
    hours: float


class Escalation(BaseModel):
    """Where a question stands in its chain. Level 0 are its approvers.

    ``asked_at``: when the people of this level were asked. ``due_at``: when it goes up, or, with ``ends``, when it is
    refused; None: it stays as it is. ``remind_at``: when the next reminder goes; None: none any more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    level: int = 0
    asked_at: datetime
    due_at: datetime | None = None
    ends: bool = False
    remind_at: datetime | None = None
    reminders: int = 0
    reminded_at: datetime | None = None
    at_risk_at: datetime | None = None

    @property
    def risk_at(self) -> datetime | None:
        """When people are to be warned; None when they were, or when nothing is due."""
        if self.due_at is None or self.at_risk_at is not None:
            return None
        return self.asked_at + (self.due_at - self.asked_at) * RISK_AT

    @property
    def next_at(self) -> datetime | None:
        """When something is to be done about the question, if nobody answers; None: never."""
        moments = (self.remind_at, self.risk_at, self.due_at)
        return min((moment for moment in moments if moment is not None), default=None)

    def reminded(self, at: datetime, number: int, again_at: datetime | None) -> Escalation:
        """After a reminder."""
        return self.model_copy(update={"reminded_at": at, "reminders": number, "remind_at": again_at})

    def warned(self, at: datetime) -> Escalation:
        """After the warning of this level."""
        return self.model_copy(update={"at_risk_at": at})


def standing_at(level: int, asked_at: datetime, due_at: datetime | None, *, ends: bool = False) -> Escalation:
    """The beginning of a level. Without ``due_at`` it is the end of a chain where the question stays."""
    remind_at = asked_at + (AGAIN if due_at is None else (due_at - asked_at) * REMIND_AT)
    return Escalation(level=level, asked_at=asked_at, due_at=due_at, ends=ends, remind_at=remind_at)


def first_standing(card: ReviewCard) -> Escalation:
    """Level 0 of a question. One without ``due_at``, as older journals have them, never goes up."""
    if card.due_at is None:
        return Escalation(asked_at=card.asked_at)
    return standing_at(0, card.asked_at, card.due_at)


def marks(escalation: Escalation | None, now: datetime) -> Iterator[str]:
    """What people should see of an open question at a glance: ``level 1, 5 h ago``, ``reminded 2 h ago``, ``at risk``."""
    if escalation is None:
        return
    if escalation.due_at is None and (escalation.remind_at is not None or escalation.reminders):
        yield "end of its chain"
    elif escalation.level:
        yield f"level {escalation.level}, {_ago(escalation.asked_at, now)}"
    if escalation.reminded_at is not None:
        yield f"reminded {_ago(escalation.reminded_at, now)}"
    if escalation.due_at is not None and escalation.due_at <= now:
        yield "overdue"
    elif escalation.at_risk_at is not None:
        yield "at risk"


def _ago(moment: datetime, now: datetime) -> str:
    passed = max(now - moment, timedelta())
    if passed < _HOUR:
        return f"{passed // timedelta(minutes=1)} min ago"
    return f"{passed // _HOUR} h ago" if passed < 2 * _DAY else f"{passed // _DAY} days ago"
