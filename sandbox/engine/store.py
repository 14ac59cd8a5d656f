"""The SQLite file that holds the company, its clock, and the transactions on it."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

JsonObject = dict[str, Any]

_TABLES = ("records", "fields", "counters", "effects", "requests", "keys", "faults", "settings")


def stamp(seconds: float) -> str:
    """Write a time (seconds since 1970) as UTC with milliseconds; such texts sort like the times they name."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Store:
    """One connection on one file in the state folder, made on first use. Transactions take turns: all thirteen apps run in one event loop."""

    def __init__(self, folder: Path, clock: Callable[[], float]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._clock = clock
        self._turn = asyncio.Lock()
        self._db = sqlite3.connect(folder / "acme.sqlite", isolation_level=None, timeout=1)
        self._db.row_factory = sqlite3.Row
        # Two sandboxes on one folder would hold different settings in memory: the second one must not start.
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._db.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing at this level; only a power cut may take the last commits of a practice company.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(Path(__file__).with_name("schema.sql").read_text(encoding="utf-8"))
        self._offset = self._read_offset()

    def now(self) -> float:
        """Give the company's time in seconds since 1970: the true clock plus what it was moved on by."""
        return self._clock() + self._offset

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[sqlite3.Connection]:
        """Run one transaction; it is rolled back when the block raises."""
        async with self._turn:
            with self._db:
                self._db.execute("BEGIN IMMEDIATE")
                yield self._db

    async def advance(self, seconds: float) -> None:
        """Move the company's clock on, for good: the shift survives a restart."""
        async with self.transaction() as db:
            self._offset += seconds
            db.execute("INSERT OR REPLACE INTO settings VALUES ('clock', ?)", (str(self._offset),))

    def wipe(self, db: sqlite3.Connection) -> None:
        """Empty every table but the tokens, and set the clock right, within the given transaction."""
        for table in _TABLES:
            db.execute(f"DELETE FROM {table}")  # noqa: S608  the names stand above
        self._offset = 0.0

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _read_offset(self) -> float:
        row = self._db.execute("SELECT value FROM settings WHERE name = 'clock'").fetchone()
        return float(row["value"]) if row else 0.0
