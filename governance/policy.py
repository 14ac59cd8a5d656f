"""The policy: rules as data that say, for each step, go, gate or forbid, and explain themselves.

Every rule that matches has a say and the strictest wins (forbid over gate over go); where none matches, the step is
gated. So a company's policy and a playbook's can both only tighten what the other says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from governance.conditions import Asked, Truth, compiled

EARNED = "autonomy:"
"""What the names of earned rules begin with; the rest is the rule's id."""


class RulingKind(StrEnum):
    """What may happen with a step."""

    GO = "go"
    GATE = "gate"
    FORBID = "forbid"


_STRICTNESS = {RulingKind.GO: 0, RulingKind.GATE: 1, RulingKind.FORBID: 2}


class AutoTerms(BaseModel):
    """When a gate may be answered without a person. All of it must hold; what is not known does not hold.

    ``confidence_at_least`` is asked of the confidence that experience supports, from at least ``minimum`` decisions like
    it. ``amount_at_most`` bounds the tool's amount. ``irreversible`` and ``untrusted`` say by name that steps without an
    undo, or with untrusted data in a sensitive argument, are meant too. ``rule`` is whoever allows it, filled in when a
    step is ruled on; ``decider``, where given, is whose advice counts.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    advice: Literal["approve"] = "approve"
    confidence_at_least: float = Field(ge=0.5, le=1)
    minimum: int = Field(default=30, ge=20)
    amount_at_most: float | None = Field(default=None, ge=0)
    irreversible: bool = False
    untrusted: bool = False
    decider: str = ""
    rule: str = ""

    def fits(self, facts: StepFacts) -> bool:
        """Whether steps like this one are meant at all."""
        return (facts.reversible or self.irreversible) and (not facts.tainted_sensitive or self.untrusted)


class PolicyRule(BaseModel):
    """One rule. ``when`` is a condition over :class:`StepFacts` fields and ``args.<name>``; absent means always.

    ``approvers`` are role names, ``person:<e-mail>``, or ``manager`` (the requester's); they matter for gates only, as
    does ``auto``: without it, people answer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^([a-z]|autonomy:[0-9a-f])[a-z0-9-]*$")
    then: RulingKind
    when: dict[str, Any] | None = None
    because: str
    approvers: tuple[str, ...] = ()
    requester_may_decide: bool = False
    auto: AutoTerms | None = None

    @cached_property
    def holds(self) -> Asked:
        """Its condition, ready to be asked."""
        return compiled(self.when) if self.when is not None else lambda _fields: Truth.YES


class Ruling(BaseModel):
    """What the policy says about a step, and why. ``approvers`` are person ids (resolved), empty unless gated.

    ``gates`` names every rule that gates it; ``auto`` has the terms of each, if all of them have some: then the gate may
    be answered without a person.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    kind: RulingKind
    rule: str
    because: str
    approvers: tuple[str, ...] = ()
    requester_may_decide: bool = False
    gates: tuple[str, ...] = ()
    auto: tuple[AutoTerms, ...] = ()


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

    @property
    def tainted_sensitive(self) -> bool:
        """Untrusted data reaches a sensitive argument."""
        return bool(self.tainted & self.sensitive)

    @cached_property
    def fields(self) -> Mapping[str, Any]:
        """The names that conditions may use. What is not known yet is left out: conditions then answer UNKNOWN."""
        known: dict[str, Any] = {
            "tool": self.tool,
            "system": self.system,
            "effect": self.effect,
            "reversible": self.reversible,
            "confidence": self.confidence,
            "data_classes": sorted(self.data_classes),
            "tainted_sensitive": self.tainted_sensitive,
            "args": dict(self.args or {}),
            "requester_roles": sorted(self.requester_roles),
        }
        if self.amount_known:
            known["amount"] = self.amount if self.amount is not None else 0
        return known


@dataclass(frozen=True)
class Earned:
    """Terms that a person ratified, for the gates named ``answers`` before one tool: never for a gate of another name."""

    tool: str
    answers: frozenset[str]
    terms: AutoTerms


@dataclass(frozen=True)
class Policy:
    """All rules that bind a run: the company's first, then the playbook's, so that among equals the company's decides."""

    rules: Sequence[PolicyRule]
    earned: Sequence[Earned] = ()

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

    def automatic(self, facts: StepFacts) -> tuple[AutoTerms, ...]:
        """The terms of every rule that gates the step; empty when one of them has none that fit: people answer then."""
        found = [self._terms(rule, facts) for rule in self.gates(facts)]
        terms = tuple(each for each in found if each is not None and each.fits(facts))
        return terms if len(terms) == len(found) else ()

    def _terms(self, rule: PolicyRule, facts: StepFacts) -> AutoTerms | None:
        if rule.then is not RulingKind.GATE:  # it would perhaps forbid: nobody but a person may make light of that
            return None
        if rule.auto is not None:
            return rule.auto.model_copy(update={"rule": rule.name})
        fitting = (each for each in self.earned if each.tool == facts.tool and rule.name in each.answers)
        return next((each.terms for each in fitting), None)

    @staticmethod
    def _says(rule: PolicyRule, facts: StepFacts) -> RulingKind | None:
        truth = rule.holds(facts.fields)
        if truth is Truth.YES:
            return rule.then
        if truth is Truth.UNKNOWN and rule.then is not RulingKind.GO:
            return RulingKind.GATE
        return None
