"""A playbook: a kind of work that Steward knows. Data, loaded from YAML, versioned, pinned by digest in each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from governance.budgets import RUN_SHARE, Budget
from governance.canonical import digest
from governance.escalation import Level, Rung
from governance.goals import Goal
from governance.policy import PolicyRule
from governance.priority import Priority

_LATER = ("budget", "escalation", "on_refusal", "open_goals")


class Sla(BaseModel):
    """How long people may take, in hours of business time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    review_hours: float = Field(default=24, gt=0)
    run_hours: float = Field(default=240, gt=0)


class OnRefusal(StrEnum):
    """What a refused step leads to: people are asked, or the run takes back what it did."""

    ASK = "ask"
    UNDO = "undo"


class Playbook(BaseModel):
    """Request schema, goals, guidance, policy, SLA, budget and escalation chain.

    ``request`` is a JSON Schema of an object; its properties may carry ``x-semantic``, ``x-untrusted``, ``x-ask``
    (the question to put when it is missing) and ``default``. ``derived`` adds fields after validation, each an
    expression of the plan language over ``request``. ``phrases`` are words by which triage knows this work.
    ``title`` is a ``$text`` template over the request, for people and lists. ``escalation`` says who is asked after how
    long; without it the roles of ``chain`` are, one after the other, each after ``sla.review_hours``.
    ``on_refusal`` says what a no leads to, and the silence that counts as one. With ``open_goals`` each request names
    goals of its own, in its field ``goals``: such work is for people who are logged in, and a person reviews its plans.
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
    escalation: tuple[Level, ...] = ()
    phrases: tuple[str, ...] = ()
    budget: Budget = Budget()
    permission: str = ""
    priority: Priority = Priority.NORMAL
    on_refusal: OnRefusal = OnRefusal.ASK
    open_goals: bool = False

    @property
    def id(self) -> str:
        """Name and version: ``onboarding@1``."""
        return f"{self.name}@{self.version}"

    @cached_property
    def digest(self) -> str:
        """What a run pins: all but the priority, which changes nothing of what a run does.

        A playbook without a field of a later release keeps the digest that it had before there was one: runs that wait
        go on.
        """
        left_out: dict[str, Any] = {
            name: True for name in _LATER if getattr(self, name) == Playbook.model_fields[name].default
        }
        if all(goal.decide is None for goal in self.goals):
            left_out["goals"] = {"__all__": {"decide"}}
        return digest(self.model_dump(mode="json", exclude={"priority": True, **left_out}))

    @cached_property
    def ladder(self) -> tuple[Rung, ...]:
        """The levels of a question, its approvers' first."""
        return rungs(self.escalation, self.chain, self.sla)

    @cached_property
    def limits(self) -> Budget:
        """The budget of a run, with its hours also where they follow from the SLA."""
        if self.budget.hours is not None:
            return self.budget
        return self.budget.model_copy(update={"hours": self.sla.run_hours * RUN_SHARE})

    def goals_of(self, request: Mapping[str, Any]) -> tuple[Goal, ...]:
        """The goals of one request, which has been validated: the playbook's, and those that it names itself."""
        named = request.get("goals", ()) if self.open_goals else ()
        return (*self.goals, *(Goal.model_validate(goal) for goal in named))

    @property
    def untrusted(self) -> frozenset[str]:
        """The request fields that come from untrusted text (``x-untrusted`` in the schema)."""
        properties = self.request.get("properties", {})
        return frozenset(
            n for n, schema in properties.items() if isinstance(schema, dict) and schema.get("x-untrusted")
        )


def rungs(escalation: Sequence[Level], chain: Sequence[str], sla: Sla) -> tuple[Rung, ...]:
    """The levels of a question. The last has ``sla.review_hours``; without ``escalation`` every level has.

    Without ``chain`` too, the managers of those who were asked come next, and nobody after them.
    """
    hours = sla.review_hours
    if not escalation:
        names = chain or ("manager",)
        return (Rung((), hours), *(Rung((name,), hours) for name in names))
    ends = [level.after_hours for level in escalation]
    spans = [end - begin for begin, end in zip([0.0, *ends], ends, strict=False)]
    people = [(), *(level.to for level in escalation)]
    return tuple(Rung(to, span) for to, span in zip(people, [*spans, hours], strict=True))
