"""The policy: rules as data that say, for each step, go, gate or forbid, and explain themselves.

Every rule that matches has a say and the strictest wins (forbid over gate over go); where none matches, the step is
gated. So a company's policy and a playbook's can both only tighten what the other says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from governance.conditions import Truth, evaluate


class RulingKind(StrEnum):
    """What may happen with a step."""

    GO = "go"
    GATE = "gate"
    FORBID = "forbid"


_STRICTNESS = {RulingKind.GO: 0, RulingKind.GATE: 1, RulingKind.FORBID: 2}


class PolicyRule(BaseModel):
    """One rule. ``when`` is a condition over :class:`StepFacts` fields and ``args.<name>``; absent means always.

    ``approvers`` are role names, ``person:<e-mail>``, or ``manager`` (the requester's); they matter for gates only.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    then: RulingKind
    when: dict[str, Any] | None = None
    because: str
    approvers: tuple[str, ...] = ()
    requester_may_decide: bool = False


class Ruling(BaseModel):
    """What the policy says about a step, and why. ``approvers`` are person ids (resolved), empty unless gated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    kind: RulingKind
    rule: str
    because: str
    approvers: tuple[str, ...] = ()
    requester_may_decide: bool = False


@dataclass(frozen=True)
class StepFacts:
    """What rules may look at. ``args`` holds what is known before the run; an argument not yet known is absent."""

    step: str
    tool: str
    system: str
    effect: str
    reversible: bool
    confidence: float
    data_classes: frozenset[str] = frozenset()
    amount: float | None = None
    amount_known: bool = True
    tainted: frozenset[str] = frozenset()
    sensitive: frozenset[str] = frozenset()
    args: Mapping[str, Any] | None = None
    requester_roles: frozenset[str] = frozenset()

    def fields(self) -> dict[str, Any]:
        """The names that conditions may use. What is not known yet is left out: conditions then answer UNKNOWN."""
        known: dict[str, Any] = {
            "tool": self.tool,
            "system": self.system,
            "effect": self.effect,
            "reversible": self.reversible,
            "confidence": self.confidence,
            "data_classes": sorted(self.data_classes),
            "tainted_sensitive": bool(self.tainted & self.sensitive),
            "args": dict(self.args or {}),
            "requester_roles": sorted(self.requester_roles),
        }
        if self.amount_known:
            known["amount"] = self.amount if self.amount is not None else 0
        return known


@dataclass(frozen=True)
class Policy:
    """All rules that bind a run: the company's first, then the playbook's, so that among equals the company's decides."""

    rules: Sequence[PolicyRule]

    def rule(self, facts: StepFacts) -> tuple[RulingKind, PolicyRule | None]:
        """The strictest matching rule, the first among equals; ``(GATE, None)`` where none matches.

        A condition that cannot be known yet gates where it could gate or forbid, and never lets pass: what is not
        known may not loosen.
        """
        best: tuple[RulingKind, PolicyRule] | None = None
        for rule in self.rules:
            kind = self._says(rule, facts)
            if kind is not None and (best is None or _STRICTNESS[kind] > _STRICTNESS[best[0]]):
                best = (kind, rule)
        return best if best is not None else (RulingKind.GATE, None)

    def gates(self, facts: StepFacts) -> tuple[PolicyRule, ...]:
        """Every rule that gates the step, in order."""
        return tuple(rule for rule in self.rules if self._says(rule, facts) is RulingKind.GATE)

    @staticmethod
    def _says(rule: PolicyRule, facts: StepFacts) -> RulingKind | None:
        truth = Truth.YES if rule.when is None else evaluate(rule.when, facts.fields())
        if truth is Truth.YES:
            return rule.then
        if truth is Truth.UNKNOWN and rule.then is not RulingKind.GO:
            return RulingKind.GATE
        return None
