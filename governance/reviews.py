"""Reviews: questions put to people, and their answers. Names follow the field's HITL schema."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from governance.canonical import digest
from governance.decisions import Corrected, Decision


class ReviewStatus(StrEnum):
    """Where a review stands."""

    OPEN = "open"
    DECIDED = "decided"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


class ReviewKind(StrEnum):
    """What is asked."""

    STEP = "step"  # may this exact action happen?
    OUTCOME = "outcome"  # did this happen? (an unsafe effect with an unknown outcome)
    FORM = "form"  # a plan wants to know something: here are the fields
    PLAN = "plan"  # may the run go on with this plan: a revision that does more than before, or a whole one that was planned freely?
    PARKED = "parked"  # the run cannot go on by itself: here is the undo list; resume, undo or close it


class Choice(StrEnum):
    """The verdicts."""

    APPROVE = "approve"
    EDIT = "edit"
    REJECT = "reject"
    RESPOND = "respond"


class Verdict(BaseModel):
    """An answer. ``reject`` and ``edit`` need a reason; ``edit`` carries the arguments as they should be.

    ``respond`` answers an OUTCOME review (``response`` is ``happened`` or ``did_not_happen``) or a PARKED one
    (``resume``, ``undo`` or ``close``), or fills in a FORM (``answered``, with the fields in ``args``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    choice: Choice
    reason: str = ""
    args: dict[str, Any] | None = None
    response: str = ""


class ReviewCard(BaseModel):
    """All that a person needs on one screen.

    ``id`` is derived from run, step and argument digest, so that asking again is the same question. ``approvers`` are
    person ids who may decide; ``triggered_by`` is the policy rule; ``recommendation`` is the advisor's decision, and
    ``experience`` what its confidence was worth by then.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    run_id: str
    kind: ReviewKind = ReviewKind.STEP
    step: str = ""
    title: str
    tool: str = ""
    args: dict[str, Any] = Field(default_factory=dict)
    args_digest: str = ""
    question: str
    triggered_by: str
    approvers: tuple[str, ...]
    requester: str
    requester_may_decide: bool = False
    recommendation: Decision | None = None
    experience: Corrected | None = None
    asked_at: datetime
    due_at: datetime | None = None
    allowed: tuple[Choice, ...] = (Choice.APPROVE, Choice.EDIT, Choice.REJECT)

    @property
    def plan_called(self) -> str:
        """How a review of a plan calls it: whole where its steps are shown, else as a revision."""
        return "the whole plan" if "steps" in self.args else "the revised plan"


class Grant(BaseModel):
    """A yes, bound to one digest of tool, version and arguments, usable once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    review_id: str
    by: str
    action_digest: str


def action_digest(tool: str, args: dict[str, Any]) -> str:
    """What a grant is bound to: tool with version, and the resolved arguments."""
    return digest({"tool": tool, "args": args})


def review_id(run_id: str, step: str, bound_to: str, kind: ReviewKind = ReviewKind.STEP) -> str:
    """``rv-`` and 12 hexadecimal digits: the same question has the same id, whoever asks it again."""
    return "rv-" + digest({"run": run_id, "step": step, "digest": bound_to, "kind": kind.value})[:12]


def approve(*, reason: str = "") -> Verdict:
    """Yes, exactly as shown."""
    return Verdict(choice=Choice.APPROVE, reason=reason)


def reject(*, reason: str) -> Verdict:
    """No, because …"""
    return Verdict(choice=Choice.REJECT, reason=reason)


def edit(args: dict[str, Any], *, reason: str) -> Verdict:
    """Not so, but with these arguments."""
    return Verdict(choice=Choice.EDIT, args=args, reason=reason)


def fill_in(answers: dict[str, Any], *, reason: str = "") -> Verdict:
    """A form, filled in."""
    return Verdict(choice=Choice.RESPOND, response="answered", args=answers, reason=reason)


def respond(response: Literal["happened", "did_not_happen", "resume", "undo", "close"], *, reason: str = "") -> Verdict:
    """The answer to a question that is not about an action to come."""
    return Verdict(choice=Choice.RESPOND, response=response, reason=reason)
