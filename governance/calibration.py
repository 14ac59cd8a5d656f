"""Calibration: how well stated confidence agrees with what came of the decisions. Pure arithmetic, no I/O.

A claim is ``(confidence, right)``. Brier score: Brier, "Verification of forecasts expressed in terms of probability"
(1950). Wilson interval: Wilson, "Probable inference" (1927). Expected calibration error with bins of equal mass: Nguyen
and O'Connor (2015). Interval of a difference: percentile bootstrap over whole decisions, Efron and Tibshirani (1993).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

Claim = tuple[float, bool]
"""How sure the decider was, 0 to 1, and whether it was right."""

BINS = 10
RESAMPLES = 1000
_Z = 1.959963984540054
"""The normal quantile of 95 %."""


@dataclass(frozen=True)
class Bin:
    """Decisions of about the same confidence. ``low`` and ``high`` bound the share of right ones, at 95 %."""

    confidence: float
    share: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Calibration:
    """What claims are worth. ``difference`` is Brier minus the base rate's Brier with its 95 % interval: below 0 is better."""

    n: int
    right: int
    mean: float
    brier: float
    brier_base: float
    difference: tuple[float, float]
    ece: float
    bins: tuple[Bin, ...]

    @property
    def base_rate(self) -> float:
        """The share that was right."""
        return self.right / self.n


def calibration(claims: Sequence[Claim], rng: Random, *, bins: int = BINS) -> Calibration | None:
    """All figures at once; None where there are no claims."""
    if not claims:
        return None
    found = reliability(claims, bins)
    return Calibration(
        n=len(claims),
        right=sum(right for _, right in claims),
        mean=math.fsum(confidence for confidence, _ in claims) / len(claims),
        brier=brier(claims),
        brier_base=brier_of_base_rate(claims),
        difference=brier_difference(claims, rng),
        ece=expected_error(found),
        bins=found,
    )


def brier(claims: Sequence[Claim]) -> float:
    """The mean squared distance of confidence from the truth: 0 is perfect, 0.25 is always saying 0.5."""
    return math.fsum((confidence - right) ** 2 for confidence, right in claims) / len(claims)


def brier_of_base_rate(claims: Sequence[Claim]) -> float:
    """The score of somebody who knows the share of right ones, and nothing about the single case."""
    rate = sum(right for _, right in claims) / len(claims)
    return rate * (1 - rate)


def brier_difference(claims: Sequence[Claim], rng: Random, resamples: int = RESAMPLES) -> tuple[float, float]:
    """The 95 % interval of Brier minus the base rate's. Both are taken anew from each resample, so they stay paired."""
    count = len(claims)
    losses = [(confidence - right) ** 2 for confidence, right in claims]
    marks = [(loss, right) for loss, (_, right) in zip(losses, claims, strict=True)]
    found = []
    for _ in range(resamples):
        drawn = rng.choices(marks, k=count)
        rate = sum(right for _, right in drawn) / count
        found.append(math.fsum(loss for loss, _ in drawn) / count - rate * (1 - rate))
    found.sort()
    return found[int(0.025 * resamples)], found[min(int(0.975 * resamples), resamples - 1)]


def reliability(claims: Sequence[Claim], bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equal mass, by confidence. Equal confidences stay together, so there may be fewer."""
    ordered = sorted(claims)
    size = max(1, math.ceil(len(ordered) / bins))
    groups: list[list[Claim]] = []
    for claim in ordered:
        if groups and (len(groups[-1]) < size or groups[-1][-1][0] == claim[0]):
            groups[-1].append(claim)
        else:
            groups.append([claim])
    return tuple(_bin(group) for group in groups)


def _bin(group: Sequence[Claim]) -> Bin:
    right, count = sum(right for _, right in group), len(group)
    low, high = wilson(right, count)
    return Bin(math.fsum(confidence for confidence, _ in group) / count, right / count, low, high, count)


def expected_error(bins: Sequence[Bin]) -> float:
    """Expected calibration error: how far confidence and share lie apart, each bin by its size."""
    count = sum(found.n for found in bins)
    return math.fsum(found.n * abs(found.confidence - found.share) for found in bins) / count if count else 0.0


def wilson(right: int, count: int) -> tuple[float, float]:
    """The 95 % interval of a share. It holds for few cases and for shares near 0 and 1; none at all: 0 to 1."""
    if count == 0:
        return 0.0, 1.0
    share, square = right / count, _Z * _Z
    centre = share + square / (2 * count)
    spread = _Z * math.sqrt(share * (1 - share) / count + square / (4 * count * count))
    scale = 1 + square / count
    # At the ends the bound is the share itself, but for the last bits of a float.
    low = 0.0 if right == 0 else (centre - spread) / scale
    high = 1.0 if right == count else (centre + spread) / scale
    return max(0.0, low), min(1.0, high)
