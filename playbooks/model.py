"""A playbook: a kind of work that Steward knows. Data, loaded from YAML, versioned, pinned by digest in each run."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from governance.canonical import digest
from governance.goals import Goal
from governance.policy import PolicyRule


class Sla(BaseModel):
    """How long people may take, in hours of business time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    review_hours: float = 24
    run_hours: float = 240


class Playbook(BaseModel):
    """Request schema, goals, guidance, policy, SLA and escalation chain.

    ``request`` is a JSON Schema of an object; its properties may carry ``x-semantic``, ``x-untrusted``, ``x-ask``
    (the question to put when it is missing) and ``default``. ``derived`` adds fields after validation, each an
    expression of the plan language over ``request``. ``phrases`` are words by which triage knows this work.
    ``title`` is a ``$text`` template over the request, for people and lists.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    version: int = Field(ge=1)
    title: str
    summary: str
    request: dict[str, Any]
    derived: dict[str, Any] = Field(default_factory=dict)
    goals: tuple[Goal, ...]
    guidance: str = ""
    policy: tuple[PolicyRule, ...] = ()
    sla: Sla = Sla()
    chain: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    permission: str = ""

    @property
    def id(self) -> str:
        """Name and version: ``onboarding@1``."""
        return f"{self.name}@{self.version}"

    @cached_property
    def digest(self) -> str:
        """What a run pins."""
        return digest(self.model_dump(mode="json"))

    @property
    def untrusted(self) -> frozenset[str]:
        """The request fields that come from untrusted text (``x-untrusted`` in the schema)."""
        properties = self.request.get("properties", {})
        return frozenset(
            n for n, schema in properties.items() if isinstance(schema, dict) and schema.get("x-untrusted")
        )
