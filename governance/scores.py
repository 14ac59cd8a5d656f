"""Scores: what came of a decision that a rule or a model made. They name no person and quote nothing."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from governance.calibration import Claim
from governance.decisions import Corrected, Decision, DecisionKind
from governance.recalibration import MINIMUM, Curve, curve


class Outcome(StrEnum):
    """What came of it. OVERRIDDEN: a person decided otherwise. FAILED: nobody did, and it did not work."""

    RIGHT = "right"
    OVERRIDDEN = "overridden"
    FAILED = "failed"


@dataclass(frozen=True)
class Score:
    """A decision and what came of it. ``seq`` is the journal entry that holds it.

    ``rule`` names the gates of the policy that it was about, or the rule that let a step pass. ``magnitude``: about how
    much money it moved, as :func:`magnitude` says; None where it moved none.
    """

    run_id: str
    seq: int
    at: datetime
    kind: DecisionKind
    playbook: str
    decider: str
    confidence: float
    outcome: Outcome
    tool: str = ""
    choice: str = ""
    rule: str = ""
    magnitude: float | None = None

    @property
    def right(self) -> bool:
        """Nobody overrode it, and it worked."""
        return self.outcome is Outcome.RIGHT

    @property
    def claim(self) -> Claim:
        """For :mod:`governance.calibration`."""
        return self.confidence, self.right


def magnitude(amount: object) -> float | None:
    """The largest of 1, 2, 5, 10, 20, 50 … that is not above ``amount``; None for what is no positive amount.

    So a salary is not kept, and a limit made from it is never above what people agreed to.
    """
    if isinstance(amount, bool) or not isinstance(amount, int | float) or amount <= 0 or not math.isfinite(amount):
        return None
    size = 10.0 ** math.floor(math.log10(amount))
    return max((size * step for step in (0.5, 1, 2, 5) if size * step <= amount), default=size)


class Experience:
    """Curves for each kind of decision: by who decided in which playbook, else by who decided, else by kind alone."""

    def __init__(self, scores: Iterable[Score]) -> None:
        """``scores`` that are not of advice are told apart by kind alone; advice also by what it advised."""
        groups: dict[tuple[str, ...], list[Claim]] = {}
        for score in scores:
            for key in _keys(score.kind, _said(score.kind, score.choice), score.decider, score.playbook):
                groups.setdefault(key, []).append(score.claim)
        self._curves: Mapping[tuple[str, ...], Curve] = {
            key: curve(claims) for key, claims in groups.items() if len(claims) >= MINIMUM
        }

    def corrected(self, decision: Decision, playbook: str) -> Corrected | None:
        """What experience makes of a decision's confidence; None when there is too little of it."""
        keys = _keys(decision.kind, _said(decision.kind, decision.choice), decision.decider, playbook)
        for key, like in zip(keys, ("here", "elsewhere", "anyone"), strict=True):
            found = self._curves.get(key)
            if found is not None:
                return Corrected(confidence=round(found(decision.confidence), 4), n=found.n, like=like)
        return None


def _said(kind: DecisionKind, choice: str) -> str:
    return choice if kind is DecisionKind.ADVICE else ""


def _keys(kind: DecisionKind, said: str, decider: str, playbook: str) -> Sequence[tuple[str, ...]]:
    return (kind, said, decider, playbook), (kind, said, decider), (kind, said)
