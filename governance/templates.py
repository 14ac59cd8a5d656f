"""A template: a plan that passed its check, kept for the requests of its kind that come later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from governance.canonical import digest
from governance.decisions import ModelUse

FAILURES = 3
"""So many runs must have failed by a template, and at least a quarter of those that it was used for, to drop it."""

_SECOND = 1000


@dataclass(frozen=True)
class Template:
    """A kept plan. ``key`` stands for all that its planner was given: playbook, catalog, shape of the request, planner.

    ``shape`` is the last of these as it was, ``plan`` a document of the plan language, ``first_run`` the run that it was
    planned for. ``decider``, ``confidence``, ``use`` and ``took_ms`` are of the decision that made it.
    """

    key: str
    playbook: str
    playbook_digest: str
    catalog_digest: str
    planner: str
    shape: dict[str, Any]
    plan: dict[str, Any]
    plan_digest: str
    first_run: str
    decider: str
    confidence: float
    took_ms: int
    kept_at: datetime
    use: ModelUse | None = None

    @property
    def id(self) -> str:
        """``pt-`` and twelve digits: the same key and plan always have the same."""
        return f"pt-{digest({'key': self.key, 'plan': self.plan_digest})[:12]}"


def saving(calls: int, microusd: int, ms: int) -> str:
    """What was not spent, for people: calls of a model, dollars, time."""
    words = [f"{calls} model call{'s' if calls > 1 else ''}"] if calls else []
    words += [f"${microusd / 1_000_000:,.4f}"] if microusd else []
    return ", ".join([*words, f"{ms / 1000:,.1f} s" if ms >= _SECOND else f"{ms} ms"])


@dataclass(frozen=True)
class TemplateRow:
    """A template and what became of it: ``hits`` runs took their plan from it, ``failures`` of them failed by it.

    ``dropped_by`` is a person's id or a rule's name.
    """

    template: Template
    hits: int = 0
    failures: int = 0
    dropped_at: datetime | None = None
    dropped_by: str = ""
    dropped_why: str = ""

    @property
    def saved_calls(self) -> int:
        """Calls of a model that were not made."""
        return self.hits * (self.template.use.calls if self.template.use else 0)

    @property
    def saved_microusd(self) -> int:
        """What these would have cost, in millionths of a dollar."""
        return self.hits * (self.template.use.cost_microusd if self.template.use else 0)

    @property
    def saved_ms(self) -> int:
        """The time that planning would have taken, in milliseconds."""
        return self.hits * self.template.took_ms


@dataclass(frozen=True)
class TemplateFailure:
    """A step whose call can never work, in a run by a template. ``step`` is its id as written, without an item's key."""

    template: str
    run_id: str
    step: str
    tool: str
    at: datetime


@dataclass(frozen=True)
class Missed:
    """How often a plan did not come from a template, or did not become one, and why."""

    playbook: str
    why: str
    count: int
