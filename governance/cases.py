"""A case: a question that people decided before, as far as it helps with the next one like it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from governance.reviews import Choice


@dataclass(frozen=True)
class Case:
    """What was asked, with which arguments, and what ``by`` said to it, why and when."""

    run_id: str
    choice: Choice
    by: str
    reason: str
    at: datetime
    args: Mapping[str, Any] = field(default_factory=dict)
