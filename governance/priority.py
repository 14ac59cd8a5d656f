"""How urgent a run is: which of the due runs workers take first."""

from __future__ import annotations

from enum import StrEnum


class Priority(StrEnum):
    """Higher goes first; a minute of waiting is worth one level, up to high."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def level(self) -> int:
        """As it is kept: -1 low, 0 normal, 1 high, 2 urgent."""
        return list(Priority).index(self) - 1
