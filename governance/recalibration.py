"""Recalibration: from the confidence that was stated to the one that experience supports. Pure.

Isotonic regression by pooling adjacent violators (Ayer and others, 1955): the map never says less where more was claimed.
Each pool is drawn towards the base rate as if ``WEIGHT`` more decisions had gone like the average one, so that a few
cases move little; below ``MINIMUM`` decisions nothing is corrected.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from governance.calibration import Claim

MINIMUM = 20
WEIGHT = 2.0


@dataclass(frozen=True)
class _Pool:
    """Neighbours that share one value. ``at`` is their mean confidence."""

    at: float
    value: float
    weight: float

    def joined(self, other: _Pool) -> _Pool:
        weight = self.weight + other.weight
        at = (self.at * self.weight + other.at * other.weight) / weight
        return _Pool(at, (self.value * self.weight + other.value * other.weight) / weight, weight)


@dataclass(frozen=True)
class Curve:
    """The map. ``n``: how many decisions it rests on. Without ``knots`` it changes nothing."""

    knots: tuple[tuple[float, float], ...] = ()
    n: int = 0

    def __call__(self, confidence: float) -> float:
        """The corrected confidence, 0 to 1: straight lines between the knots, level beyond them."""
        if not self.knots:
            return confidence
        place = bisect_left(self.knots, (confidence,))
        if place == 0:
            return self.knots[0][1]
        if place == len(self.knots):
            return self.knots[-1][1]
        (x0, y0), (x1, y1) = self.knots[place - 1], self.knots[place]
        # By the nearer knot, so that rounding never leads past one and the map stays monotone.
        part = (confidence - x0) / (x1 - x0)
        return min(max(y0 + part * (y1 - y0), y0), y1)


def curve(claims: Sequence[Claim], *, minimum: int = MINIMUM) -> Curve:
    """What experience makes of a confidence."""
    count = len(claims)
    if count < minimum:
        return Curve(n=count)
    base = (sum(right for _, right in claims) + 1) / (count + 2)
    pools = _pooled([_Pool(confidence, float(right), 1.0) for confidence, right in _same_together(claims)])
    drawn = [
        _Pool(pool.at, (pool.value * pool.weight + base * WEIGHT) / (pool.weight + WEIGHT), pool.weight)
        for pool in pools
    ]
    return Curve(_rising(_pooled(drawn)), count)


def corrected_apart(claims: Sequence[Claim], *, folds: int = 5) -> list[Claim]:
    """Each claim as the others would correct it, fold by fold: so that no claim vouches for itself."""
    curves = [curve([claim for n, claim in enumerate(claims) if n % folds != fold]) for fold in range(folds)]
    return [(curves[number % folds](confidence), right) for number, (confidence, right) in enumerate(claims)]


def _same_together(claims: Sequence[Claim]) -> list[tuple[float, float]]:
    """By confidence; those of the same one all get their share, or their order would decide what is pooled."""
    groups: dict[float, list[bool]] = {}
    for confidence, right in claims:
        groups.setdefault(confidence, []).append(right)
    return [(at, sum(group) / len(group)) for at, group in sorted(groups.items()) for _ in group]


def _pooled(pools: Sequence[_Pool]) -> list[_Pool]:
    """Pool adjacent violators: the nearest rising sequence, by weighted least squares. Equal neighbours are pooled too."""
    found: list[_Pool] = []
    for pool in pools:
        last = pool
        while found and found[-1].value >= last.value:
            last = found.pop().joined(last)
        found.append(last)
    return found


def _rising(pools: Sequence[_Pool]) -> tuple[tuple[float, float], ...]:
    knots: list[tuple[float, float]] = []
    for pool in pools:
        if not knots or pool.at > knots[-1][0]:
            knots.append((pool.at, min(1.0, max(0.0, pool.value))))
    return tuple(knots)
