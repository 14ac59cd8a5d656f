"""What a revision of a plan changes, as it is journaled and shown."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class PlanDifference(BaseModel):
    """Ids of steps that a revision adds, drops and changes, and why a person must agree to it (empty: nobody must).

    ``shown`` has a line for each difference, for people.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    added: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    widens: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = {"adds": self.added, "drops": self.dropped, "changes": self.changed}
        return "; ".join(f"{word} {', '.join(ids)}" for word, ids in parts.items() if ids) or "changes nothing"
