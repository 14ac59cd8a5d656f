"""The application's connections to PostgreSQL, and the checks at the start that keep its promises honest."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from governance.errors import DatabaseUnavailable
from memory.statements import statements

OLDEST_SERVER = 15
WAKES, GROWTH = "steward", "steward_seen"
"""Channels of notifications: a run may be due or has something in its inbox; a run's journal or row has changed. The
payload: run ids, comma separated, or nothing, which may mean any run. Only ever a hint."""

_OTHER_SCHEMA = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedObject,
)
_log = structlog.get_logger("steward.memory")
AppConnection = psycopg.AsyncConnection[DictRow]


@dataclass(frozen=True)
class Database:
    """PostgreSQL as the application's role: autocommit, UTC, rows as dicts. Made by ``open_database``."""

    url: str
    pool: AsyncConnectionPool[AppConnection]

    @asynccontextmanager
    async def connection(self, *, patience: float = 10) -> AsyncIterator[AppConnection]:
        """A connection of the pool, waited for at most ``patience`` seconds.

        Raises:
            DatabaseUnavailable: there is none, or it was lost in the block.

        """
        with explained(self.url):
            try:
                async with self.pool.connection(timeout=patience) as connection:
                    yield connection
            except psycopg.OperationalError:
                await self._sweep()
                raise

    async def _sweep(self) -> None:
        """After a restart of the server all idle connections are dead: drop them at once, not one call at a time."""
        try:
            await self.pool.check()
        except (PoolClosed, psycopg.Error):
            return

    async def fetch(self, statement: bytes, values: Any = None) -> list[DictRow]:
        """Run one statement in its own transaction; its rows.

        Raises:
            DatabaseUnavailable: no connection, or it was lost.

        """
        async with self.connection() as connection:
            cursor = await connection.execute(statement, values)
            return await cursor.fetchall() if cursor.description else []


@asynccontextmanager
async def open_database(app_url: str, *, size: int = 8) -> AsyncIterator[Database]:
    """Connect as the application, prove that the database is fit, and keep up to ``size`` connections.

    Whoever ``app_url`` logs in as takes on the role ``steward_app``: it must be that role or a member of it. A login that
    could put the role off and rewrite the journal works too, with a warning in the log.

    Raises:
        DatabaseUnavailable: not reachable, too old, not migrated, behind a transaction pooler, or the application
            could rewrite the journal.

    """
    with explained(readable(app_url)):
        await _prove_fit(app_url)
    pool = AsyncConnectionPool[AppConnection](
        app_url,
        connection_class=AppConnection,
        kwargs={"autocommit": True, "prepare_threshold": 0, "row_factory": dict_row},
        configure=take_role,
        min_size=1,
        max_size=size,
        open=False,
        name="steward",
    )
    with explained(app_url):
        await pool.open(wait=True, timeout=10)
    try:
        yield Database(app_url, pool)
    finally:
        await pool.close()


async def connect(app_url: str) -> AppConnection:
    """One connection of your own as the application, outside the pool: for LISTEN."""
    connection = await _connect(app_url)
    await take_role(connection)
    return connection


async def _connect(app_url: str) -> AppConnection:
    # Nothing is prepared: a pooler would stumble over that before it is recognised as one.
    return await psycopg.AsyncConnection[DictRow].connect(
        app_url, autocommit=True, prepare_threshold=None, row_factory=dict_row, connect_timeout=10
    )


async def take_role(connection: AppConnection) -> None:
    """Make a new connection the application's: its role, UTC, no JIT (our statements are short)."""
    await connection.execute(statements("database")["session"])


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn what psycopg says into one sentence, without the password, and a way out."""
    try:
        yield
    except (PoolTimeout, PoolClosed, psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise DatabaseUnavailable(
            f"PostgreSQL at {_place(url)} does not answer: {_reason(error)}.",
            hint="Check that it runs and that STEWARD_DATABASE_URL is right, then try again; nothing is lost.",
        ) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise DatabaseUnavailable(
            f"PostgreSQL at {_place(url)} does not permit this: {_reason(error)}.",
            hint="The application must be, or be a member of, the role steward_app; migrations need the owner.",
        ) from error
    except _OTHER_SCHEMA as error:
        raise DatabaseUnavailable(
            f"The database at {_place(url)} is not of this version of Steward: {_reason(error)}.",
            hint="Every start brings it up to date: start with STEWARD_DATABASE_OWNER_URL set to its owner.",
        ) from error


def readable(url: str) -> str:
    """``url``, when it is a PostgreSQL address; raises DatabaseUnavailable otherwise."""
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise DatabaseUnavailable(
            "The address of PostgreSQL cannot be read.",
            hint="It looks like postgresql://user:password@host:5432/database.",
        ) from error
    return url


def _place(url: str) -> str:
    parts = conninfo_to_dict(url)
    host = parts.get("host") or parts.get("hostaddr") or "the local socket"
    return f"{host} (port {parts.get('port') or 5432}, database {parts.get('dbname') or 'by default'})"


def _reason(error: Exception) -> str:
    first = next(iter(str(error).strip().splitlines()), type(error).__name__)
    return first.strip().rstrip(".")


async def _prove_fit(app_url: str) -> None:
    sql = statements("database")
    async with await _connect(app_url) as first, await _connect(app_url) as second:
        await _prove_direct(first, second)
        await take_role(first)
        cursor = await first.execute(sql["fitness"])
        row = await cursor.fetchone()
    if row is None or row["version"] < OLDEST_SERVER:
        raise DatabaseUnavailable(
            f"PostgreSQL at {_place(app_url)} is version {row['version'] if row else 'unknown'}.",
            hint=f"Steward needs version {OLDEST_SERVER} or later.",
        )
    if not row["migrated"]:
        raise DatabaseUnavailable(
            f"The database at {_place(app_url)} has no tables of Steward.",
            hint="Every start makes them: start with STEWARD_DATABASE_OWNER_URL set to this database's owner.",
        )
    if row["may_rewrite"]:
        raise DatabaseUnavailable(
            "The application's role could rewrite the journal, so the journal would prove nothing.",
            hint="REVOKE UPDATE, DELETE, TRUNCATE ON journal FROM steward_app (and from PUBLIC), and start again.",
        )
    if row["login_may_rewrite"]:
        _log.warning(
            "the login of STEWARD_DATABASE_URL owns the journal, so whoever has its password could rewrite the journal",
            login=row["login"],
            way_out="give the application a login of its own: docs/how-to/use-your-own-postgresql.md",
        )


async def _prove_direct(first: AppConnection, second: AppConnection) -> None:
    """Refuse a transaction pooler: worker locks, LISTEN and leases need a session of their own.

    Two connections of ours must be two server sessions, and each must stay the same one. Through a transaction pooler
    the second, inside its transaction, either shares the first's session or takes it away from it.
    """
    ask = statements("database")["session_id"]

    async def session(connection: AppConnection) -> int:
        row = await (await connection.execute(ask)).fetchone()
        return int(row["session"]) if row else 0

    seen_first = {await session(first)}
    async with second.transaction():
        seen_second = {await session(second)}
        seen_first.add(await session(first))
    seen_second.add(await session(second))
    seen_first.add(await session(first))
    if len(seen_first) > 1 or len(seen_second) > 1 or seen_first & seen_second:
        raise DatabaseUnavailable(
            "Steward reaches PostgreSQL through a transaction pooler, where its locks and notifications do not hold.",
            hint="Give STEWARD_DATABASE_URL the server's own address, or a pooler in session mode.",
        )
