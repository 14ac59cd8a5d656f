"""A decision: a choice by a model, a rule or a person, that answers for itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Confidence = Annotated[float, Field(ge=0, le=1)]


class DecisionKind(StrEnum):
    """What was chosen."""

    TRIAGE = "triage"
    PLAN = "plan"
    RULING = "ruling"
    ADVICE = "advice"
    DIAGNOSIS = "diagnosis"
    VERDICT = "verdict"
    ESCALATION = "escalation"  # silence was answered by rule: more people were asked, or it was a no
    INTERVENTION = "intervention"  # a person stopped a run or sent it on, unasked
    CHOICE = "choice"
    ANSWER = "answer"


class Alternative(BaseModel):
    """What was not chosen, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choice: str
    why_not: str


class Decide(BaseModel):
    """Lets an agent choose among the options that a plan declares. Where it is less sure than this, a person chooses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence_at_least: float = Field(default=0.8, ge=0.5, le=1)


class ModelUse(BaseModel):
    """What asking a model took. ``prompt`` is the prompt's name and version, ``plan@1``; cost in millionths of a dollar."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    prompt: str
    calls: int = Field(default=1, ge=0)
    tokens_in: int = Field(default=0, ge=0)
    tokens_out: int = Field(default=0, ge=0)
    cost_microusd: int = Field(default=0, ge=0)
    latency_ms: int = Field(default=0, ge=0)


class Corrected(BaseModel):
    """The confidence that experience supports, from ``n`` decisions like it.

    ``like``: by the same decider in the same playbook (here), in any playbook (elsewhere), or by anyone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    confidence: Confidence
    n: int = Field(ge=1)
    like: Literal["here", "elsewhere", "anyone"]


class Decision(BaseModel):
    """A choice with its reasoning.

    ``decider`` says who: ``rule:<name>``, ``model:<name>`` or ``person:<e-mail>``. ``confidence`` is 0 to 1; a rule
    that cannot be wrong about its own condition says 1. ``use``: what it took, if a model was asked.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: DecisionKind
    subject: str
    choice: str
    reasoning: str
    confidence: Confidence
    decider: str
    alternatives: tuple[Alternative, ...] = ()
    evidence: tuple[str, ...] = ()
    use: ModelUse | None = None


def basis_of(decision: Decision, experience: Corrected | None) -> str:
    """What stands behind a corrected confidence: ``by experience with 214 like it; it says 82%``; empty without one."""
    if experience is None:
        return ""
    return f"by experience with {experience.n} like it; it says {decision.confidence:.0%}"
