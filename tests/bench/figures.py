"""What a measurement gives: figures by name, raw rounds, and its part of the report."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Plan:
    """How much is measured. ``profile``: leave a profile of the worker in reports/local."""

    quick: bool = False
    profile: bool = False

    def size(self, full: int, quick: int) -> int:
        """A count, by the form of the bench."""
        return quick if self.quick else full


@dataclass
class Section:
    """One measurement's result."""

    name: str
    title: str
    figures: dict[str, float] = field(default_factory=dict)
    rounds: list[dict[str, Any]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    plots: dict[str, str] = field(default_factory=dict)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and the least and the most in brackets."""
    if not values:
        return "-"
    return f"{statistics.median(values):.{digits}f} [{min(values):.{digits}f}-{max(values):.{digits}f}]"


def median(values: Sequence[float]) -> float:
    """The median, to four digits."""
    return round(statistics.median(values), 4)


def quantile(values: Sequence[float], q: float) -> float:
    """The value below which the part ``q`` of all lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> list[str]:
    """Lines of a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return [*lines, *("| " + " | ".join(map(str, row)) + " |" for row in rows), ""]


def columns(rounds: Sequence[Mapping[str, Any]], key: str) -> list[float]:
    """One value of every round."""
    return [float(each[key]) for each in rounds]
