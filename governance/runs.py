"""Runs as the queue and its callers see them: what is admitted, claimed, listed and left in the inbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from governance.escalation import Escalation
from governance.events import RunStatus
from governance.outside import Plain
from governance.reviews import ReviewCard, ReviewStatus, Verdict


@dataclass(frozen=True)
class RunRow:
    """A run's row. ``wake_at`` None: nothing to do until somebody wakes it.

    ``fruitless`` counts slices in a row that came to nothing, ``deaths`` workers in a row that died with it in hand.
    """

    id: str
    playbook: str
    title: str
    requester: str
    source: str
    status: RunStatus
    waiting_for: str
    admitted_at: datetime
    ended_at: datetime | None
    epoch: int
    owner: int | None
    wake_at: datetime | None
    fruitless: int
    priority: int = 0
    deaths: int = 0
    parent_id: str | None = None
    parent_step: str | None = None


SUSPECTED, CONVICTED = 3, 13
"""Deaths of workers in a row from which on a run is claimed alone, and at which it is parked (sql/runs.sql has them too)."""
COMPANY = (16, 4)
"""How many runs whose workers died once, and how many whose workers died twice, a worker begins within a second."""


@dataclass(frozen=True)
class Claim:
    """A worker's right to a run. Whoever holds a lower ``epoch`` may not write.

    ``fruitless`` slices before this one came to nothing; ``deaths`` of workers in a row may be this run's doing.
    """

    run_id: str
    owner: int
    epoch: int
    fruitless: int = 0
    deaths: int = 0
    child: bool = False

    @property
    def suspect(self) -> bool:
        """Whether it must run with no other slice beside it."""
        return SUSPECTED <= self.deaths < CONVICTED


class InputKind(StrEnum):
    """What others may leave for a run."""

    VERDICT = "verdict"
    CANCEL = "cancel"
    CALLBACK = "callback"
    RESUME = "resume"
    EVENT = "event"


@dataclass(frozen=True)
class InboxRow:
    """Something left for a run; taken up once an event with cause ``inbox:<id>`` is in the journal."""

    id: str
    run_id: str
    kind: InputKind
    body: dict[str, Any]
    at: datetime

    @property
    def cause(self) -> str:
        """The cause of the event that takes this row up."""
        return f"inbox:{self.id}"


@dataclass(frozen=True)
class ReviewRow:
    """A review as people see it: the card, and where it stands.

    The card's ``approvers`` and ``due_at`` are those of the level that the question has reached by now.
    """

    card: ReviewCard
    status: ReviewStatus
    verdict: Verdict | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None
    closed_why: str = ""
    escalation: Escalation | None = None


@dataclass(frozen=True)
class AskReview:
    """Written in the transaction of its event: the review's row."""

    card: ReviewCard


@dataclass(frozen=True)
class CloseReview:
    """Written in the transaction of its event: the review is withdrawn or expired (unless decided meanwhile)."""

    review_id: str
    status: ReviewStatus
    why: str


@dataclass(frozen=True)
class EscalateReview:
    """Written in the transaction of its event: who may decide an open review by now, and where it stands in its chain."""

    review_id: str
    approvers: tuple[str, ...]
    escalation: Escalation


@dataclass(frozen=True)
class SetTimer:
    """Written in the transaction of its event: wake the run at ``due_at`` (business time)."""

    timer_id: str
    due_at: datetime


@dataclass(frozen=True)
class Subscribe:
    """Written in the transaction of its event: a step waits for an outside event with these fields, ``wanted``.

    The first that came at or after ``since``, after the one with the number ``after``, and at ``until`` at the latest is
    left in the inbox, whether it was there before or comes now (business time).
    """

    step: str
    wanted: Mapping[str, Plain]
    since: datetime
    until: datetime
    after: int = 0


@dataclass(frozen=True)
class RelyOn:
    """The events are written only if the earned rule holds at ``at`` (business time) when they are."""

    rule_id: str
    at: datetime


@dataclass(frozen=True)
class SuspendRule:
    """Written in the transaction of its event: the earned rule is suspended, if it still holds."""

    rule_id: str
    why: str
    at: datetime


SideRow = AskReview | CloseReview | EscalateReview | SetTimer | Subscribe | RelyOn | SuspendRule


@dataclass(frozen=True)
class Rest:
    """How a slice leaves its run: the status for lists, what it waits for, and whether to come back, at once or later.

    ``summary``, of a run that has ended, is what its parent is told, if it has one.
    """

    status: RunStatus
    waiting_for: str = ""
    again: bool = False
    progressed: bool = True
    wake_in: timedelta | None = None
    summary: str = ""
