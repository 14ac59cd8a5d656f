"""Ids that simulators give: they look like a system's own, and the same thing always gets the same one."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime

SIMULATED_DAY = date(2026, 1, 5)
"""The day that simulated records say when nothing better is known."""

SIMULATED_MOMENT = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""The same as a moment."""


def simulated_id(prefix: str, digits: int, *of: str) -> str:
    """An id of ``digits`` digits after ``prefix``, made from what the record is of: ``("E-", 5, email)``."""
    number = int(hashlib.sha256("\n".join(of).encode("utf-8", "surrogatepass")).hexdigest()[:15], 16)
    return f"{prefix}{number % 10**digits:0{digits}d}"
