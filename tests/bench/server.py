"""The PostgreSQL of the bench: the embedded one, durable as in production, and what it counts."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo
from psycopg.rows import dict_row

from memory.embedded import embedded_postgres
from memory.migrate import migrate
from tests.bench import machine

DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    # Says when a row's transaction was committed, so that latencies need no busy watching.
    "track_commit_timestamp": "on",
}


@dataclass(frozen=True)
class Server:
    """A running server. ``url`` is the superuser's, ``pid`` the postmaster's."""

    url: str
    pid: int
    settings: dict[str, str]

    def owner(self, database: str) -> str:
        """The superuser's address of a database."""
        return make_conninfo(self.url, dbname=database)

    def app(self, database: str) -> str:
        """The application's address of a database."""
        return make_conninfo(self.url, dbname=database, user="steward_app")

    async def fetch(self, database: str, statement: str, values: Any = None) -> list[dict[str, Any]]:
        """Run one statement as the superuser, on a connection of its own."""
        async with await psycopg.AsyncConnection.connect(
            self.owner(database), autocommit=True, row_factory=dict_row
        ) as to:
            cursor = await to.execute(statement.encode(), values)
            return await cursor.fetchall() if cursor.description else []

    async def make(self, database: str, *, migrated: bool = True) -> None:
        """A new database; ``migrated``: with Steward's tables."""
        create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database))
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as to:
            await to.execute(create)
        if migrated:
            await migrate(self.owner(database), self.app(database))

    async def drop(self, database: str) -> None:
        """Remove a database and whatever is still connected to it."""
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as to:
            await to.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    async def commits(self, database: str) -> int:
        """Committed transactions so far. Sessions tell theirs when they end, so their end is waited for."""
        others = "SELECT 1 FROM pg_stat_activity WHERE datname = %s"
        while await self.fetch("postgres", others, (database,)):  # noqa: ASYNC110 - the server does not tell
            await asyncio.sleep(0.05)  # sleep: a closed connection's server process takes a moment to go
        rows = await self.fetch("postgres", "SELECT xact_commit FROM pg_stat_database WHERE datname = %s", (database,))
        return int(rows[0]["xact_commit"])

    async def wal_bytes(self) -> int:
        """Bytes of write-ahead log so far."""
        rows = await self.fetch("postgres", "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn AS bytes")
        return int(rows[0]["bytes"])

    async def calm(self) -> None:
        """Write out what is dirty, so that no round pays for the one before."""
        await self.fetch("postgres", "CHECKPOINT")

    def cpu_s(self) -> float:
        """Seconds of CPU of all its processes so far."""
        return machine.tree_cpu_s(self.pid)


@asynccontextmanager
async def running() -> AsyncIterator[Server]:
    """A server of the bench's own, gone at the end. Refuses to work on one that is not durable."""
    with tempfile.TemporaryDirectory(prefix="steward-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # noqa: ASYNC240 - once; root's server runs under another account, which must get in
        async with embedded_postgres(Path(folder) / "postgres", settings=SETTINGS) as embedded:
            async with await psycopg.AsyncConnection.connect(embedded.owner_url) as to:
                found = await (await to.execute("SELECT name, setting FROM pg_settings")).fetchall()
            shown = {str(name): str(value) for name, value in found}
            if any(shown[name] != "on" for name in DURABLE):
                raise RuntimeError(f"the bench counts durable work only: {[(n, shown[n]) for n in DURABLE]}")
            pid = int(Path(shown["data_directory"], "postmaster.pid").read_text().split()[0])  # noqa: ASYNC240 - once
            told = {
                name: shown[name]
                for name in (*DURABLE, "server_version", "shared_buffers", "max_wal_size", "wal_sync_method")
            }
            yield Server(embedded.owner_url, pid, told)
