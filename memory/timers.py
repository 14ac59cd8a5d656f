"""Timers of runs, on business time. They are set with the journal (``SetTimer``) and fired here."""

from __future__ import annotations

from datetime import datetime

from memory.database import Database
from memory.statements import statements


class Timers:
    """All timers. Any number of workers may fire them; each fires once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("timers")

    async def fire_due(self, now: datetime) -> int:
        """Remove the timers that are due at ``now`` and wake their runs, in one transaction. Returns how many."""
        rows = await self._database.fetch(self._sql["fire_due"], {"now": now})
        return int(rows[0]["fired"]) if rows else 0

    async def next_due(self) -> datetime | None:
        """When the next timer is due; None when there is none."""
        rows = await self._database.fetch(self._sql["next_due"])
        due_at: datetime | None = rows[0]["due_at"]
        return due_at
