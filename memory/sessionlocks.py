"""One database session of this process, for locks that must be free the moment the process is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg.rows import DictRow

from memory.database import AppConnection, Database, connect, explained
from memory.statements import statements


class SessionLocks:
    """Runs statements about advisory locks. Connects at the first; ``generation`` rises when all locks were lost."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers: dict[str, int] = {}
        self._alone = asyncio.Lock()
        self._session: AppConnection | None = None
        self._sql = statements("systems")
        self.generation = 0

    async def number(self, system: str) -> int:
        """The number by which a system's locks are known. Raises DatabaseUnavailable."""
        if system not in self._numbers:
            rows = await self._database.fetch(self._sql["number"], {"name": system})
            if not rows:  # somebody else made it at this moment
                rows = await self._database.fetch(self._sql["number"], {"name": system})
            self._numbers[system] = int(rows[0]["number"])
        return self._numbers[system]

    async def run(self, name: str, values: dict[str, Any]) -> list[DictRow]:
        """Run one statement of ``sql/systems.sql`` in the session.

        Raises:
            DatabaseUnavailable: the session cannot be had or was lost, and with it every lock.

        """
        async with self._alone:
            with explained(self._database.url):
                try:
                    if self._session is None:
                        self._session = await connect(self._database.url)
                    cursor = await self._session.execute(self._sql[name], values)
                    return await cursor.fetchall()
                except (psycopg.OperationalError, asyncio.CancelledError):
                    await self._drop()  # a cancelled statement may or may not have taken a lock
                    raise

    async def _drop(self) -> None:
        self.generation += 1
        if self._session is not None:
            session, self._session = self._session, None
            await session.close()

    async def close(self) -> None:
        """Give all locks back."""
        async with self._alone:
            await self._drop()


@asynccontextmanager
async def open_session_locks(database: Database) -> AsyncIterator[SessionLocks]:
    """Locks for as long as the block lasts."""
    locks = SessionLocks(database)
    try:
        yield locks
    finally:
        await locks.close()
