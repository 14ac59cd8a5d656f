"""A decision: a choice by a model, a rule or a person, that answers for itself."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

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
    CHOICE = "choice"


class Alternative(BaseModel):
    """What was not chosen, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    choice: str
    why_not: str


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
