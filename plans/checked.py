"""What the checker takes and gives. Only a :class:`CheckedPlan` can be dispatched: the type system says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from governance.findings import Finding, Severity
from governance.goals import Goal
from governance.people import Directory, Person
from governance.policy import Policy, Ruling
from plans.language import Plan
from tools.contract import ToolSpec


@dataclass(frozen=True)
class Startable:
    """A playbook as a step may start it: the schema of its request, and the permission that it takes."""

    schema: Mapping[str, Any]
    permission: str = ""


@dataclass(frozen=True)
class Premises:
    """What a plan is checked against.

    ``request`` is the understood request, ``request_schema`` its JSON Schema; ``untrusted`` the request fields that
    came from untrusted text; ``begun`` maps ids of steps already begun in earlier revisions to their action digest
    as written (``plans.begun``); ``kept`` are steps that a revision may not drop, ``dropped`` those that failed and were
    given up. ``max_steps`` and ``max_money`` are the budget (None: as much as is needed).
    ``vouched`` are arguments that people wrote, by step: other literals in sensitive arguments must be given by a goal or the
    request, or they are taken for untrusted (None: whoever wrote the plan may make up values).
    ``startable`` has the playbooks by name and by id (None: they are not known here).
    """

    tools: Mapping[str, ToolSpec]
    request_schema: Mapping[str, Any]
    request: Mapping[str, Any]
    goals: Sequence[Goal]
    policy: Policy
    directory: Directory
    requester: Person
    untrusted: frozenset[str] = frozenset()
    begun: Mapping[str, str] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    max_steps: int = 200
    max_money: Decimal | None = None
    startable: Mapping[str, Startable] | None = None
    vouched: Mapping[str, Mapping[str, Any]] | None = None


@dataclass(frozen=True)
class CheckedPlan:
    """A plan that passed. Made only by ``plans.checker.check``.

    ``needs`` maps each step to the ids of the steps it waits for (references and ``after``), ``references`` to those
    that its arguments, ``when`` and ``for_each`` refer to; ``rulings`` has one ruling a step, with approvers resolved to person ids.
    """

    plan: Plan
    needs: Mapping[str, frozenset[str]]
    references: Mapping[str, frozenset[str]]
    rulings: Mapping[str, Ruling]
    tools: Mapping[str, ToolSpec]


@dataclass(frozen=True)
class Checked:
    """The checker's answer: all findings at once, rulings as far as they could be made, and the plan if it passed."""

    findings: tuple[Finding, ...]
    rulings: tuple[Ruling, ...]
    plan: CheckedPlan | None

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings that forbid."""
        return tuple(f for f in self.findings if f.severity is Severity.ERROR)
