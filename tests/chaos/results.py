"""What an experiment found: what was measured beside its target, and the numbers that explain it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Measure:
    """One line of the report: measured beside its target."""

    what: str
    target: str
    measured: str
    ok: bool


def zero(what: str, measured: int) -> Measure:
    """There must be none."""
    return Measure(what, "0", f"{measured:,}", measured == 0)


def equal(what: str, target: int, measured: int) -> Measure:
    """There must be exactly so many."""
    return Measure(what, f"{target:,}", f"{measured:,}", measured == target)


def some(what: str, measured: int, least: int = 1) -> Measure:
    """There must be so many at least, or the experiment showed nothing."""
    return Measure(what, f"at least {least:,}", f"{measured:,}", measured >= least)


def below(what: str, target: float, measured: float, unit: str = "s") -> Measure:
    """It must be less."""
    return Measure(what, f"below {target:g} {unit}", f"{measured:.3g} {unit}", measured < target)


@dataclass
class Result:
    """One experiment. ``counts`` are added up over the battery: runs, kills, stops, lost, duplicated, stuck, stale_writes."""

    key: str
    title: str
    says: str
    measures: list[Measure] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0

    @property
    def ok(self) -> bool:
        """Every target was met."""
        return bool(self.measures) and all(measure.ok for measure in self.measures)


def percentile(values: Sequence[float], part: float) -> float:
    """The value that so great a part of all does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
