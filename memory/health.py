"""The health of systems, shared by all workers: a table, read into a copy that hints and polling keep fresh.

Whoever only asks pays no round trip; whoever has seen a failure, or a recovery, writes it down.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from psycopg.rows import DictRow

from governance.errors import Unavailable
from governance.systems import Busy, Health
from memory.database import Database
from memory.hints import Hints
from memory.sessionlocks import SessionLocks
from memory.statements import statements

_WATCHED = "systems"  # the payload of the hints in sql/systems.sql
_PAUSE_SECONDS = 0.05


class HealthBoard:
    """The port ``tools.sharing.Board``. ``away``: the database cannot be asked at present."""

    def __init__(self, database: Database, locks: SessionLocks) -> None:
        self._database = database
        self._locks = locks
        self._sql = statements("systems")
        self._copy: dict[str, Health] = {}
        self._probing: set[str] = set()
        self.away = False

    def view(self, system: str) -> Health:
        """The system's health as last heard of."""
        return self._copy.get(system) or Health(system)

    async def failed(self, system: str, *, at: datetime, why: str, threshold: int, probe: bool) -> None:
        """Count a failure; the breaker opens at so many in a row, or at once after a probe."""
        values = {"name": system, "at": at, "why": why, "threshold": threshold, "probe": probe}
        await self._write("failed", values)

    async def sound(self, system: str, *, probe: bool) -> None:
        """The system works: nothing failed in a row; a probe closes the breaker."""
        await self._write("sound", {"name": system, "probe": probe})

    async def slow(self, system: str, until: datetime) -> None:
        """The system asks everybody to wait until then."""
        await self._write("slow", {"name": system, "until": until})

    async def try_probe(self, system: str) -> bool:
        """Be the one who tries; False when somebody else is. Free again at ``end_probe``, or with this process."""
        if system in self._probing:
            return False
        self._probing.add(system)
        mine = False
        try:
            number = await self._locks.number(system)
            mine = bool((await self._locks.run("try_probe", {"number": number}))[0]["mine"])
        finally:
            if not mine:
                self._probing.discard(system)
        if mine:
            # Somebody may have tried, and told of it, before the lock was free: their word is newer than our copy.
            await self.refresh()
        return mine

    async def end_probe(self, system: str) -> None:
        """Let somebody else try."""
        try:
            await self._locks.run("end_probe", {"number": await self._locks.number(system)})
        finally:
            self._probing.discard(system)

    async def refresh(self) -> None:
        """Read the table into the copy."""
        rows = await self._fetch("all", {})
        self._copy = {row["name"]: _health(row) for row in rows}

    async def keep(self, hints: Hints) -> None:
        """Keep the copy fresh until cancelled."""
        async with contextlib.aclosing(hints.watch(_WATCHED)) as hinted:
            async for _ in hinted:
                with contextlib.suppress(Unavailable):
                    await self.refresh()
                await asyncio.sleep(_PAUSE_SECONDS)  # hints about anything come in swarms

    async def _write(self, name: str, values: dict[str, Any]) -> None:
        for row in await self._fetch(name, values):
            self._copy[row["name"]] = _health(row)

    async def _fetch(self, name: str, values: dict[str, Any]) -> list[DictRow]:
        try:
            rows = await self._database.fetch(self._sql[name], values)
        except Unavailable:
            self.away = True
            raise
        self.away = False
        return rows


def _health(row: DictRow) -> Health:
    return Health(row["name"], row["failures"], row["opened_at"], row["why"], row["not_before"])


async def traffic(database: Database) -> dict[str, Busy]:
    """The systems that were ever called, by name."""
    return {
        row["name"]: Busy(row["in_flight"], row["probing"], row["opened_at"], row["why"], row["not_before"])
        for row in await database.fetch(statements("systems")["traffic"])
    }


@asynccontextmanager
async def open_health(database: Database, hints: Hints, locks: SessionLocks) -> AsyncIterator[HealthBoard]:
    """A board whose copy is kept fresh for as long as the block lasts."""
    board = HealthBoard(database, locks)
    keeper = asyncio.create_task(board.keep(hints), name="health of systems")
    try:
        yield board
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
