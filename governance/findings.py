"""A finding: one thing that a check says, with its place, a sentence and a proposed fix."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Severity(StrEnum):
    """An error forbids; a warning is shown and lets pass."""

    ERROR = "error"
    WARNING = "warning"


class Finding(BaseModel):
    """One thing that a check says.

    ``place`` is a path such as ``steps.badge.args.site`` or ``request.start_date``; ``code`` has a page in
    ``docs/reference/findings.md``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str
    place: str
    sentence: str
    fix: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}" + (f" ({self.fix})" if self.fix else "")
