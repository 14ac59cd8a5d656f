"""Bringing a database to the present version: tables (Alembic), checkpoint tables (LangGraph), functions and rights.

Everything is owned by whoever the owner's address logs in as. Any number of processes may do this at the same time. A mark in the database says which version was here last.
"""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from langgraph.checkpoint.postgres.base import MIGRATIONS as CHECKPOINT_MIGRATIONS
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from sqlalchemy import create_engine, pool
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from memory.checkpoints import make_checkpoint_tables
from memory.database import AppConnection, explained, readable
from memory.statements import script, statements

_LOOK_SECONDS = 0.1
_MIGRATIONS = Path(__file__).parent / "migrations"


async def migrate(owner_url: str, app_url: str | None = None) -> None:
    """Bring the database of ``owner_url`` to the present version; nothing happens when it is there already.

    The login of ``app_url``, when it names one, becomes a member of ``steward_app``, if the owner may give that away.

    Raises:
        DatabaseUnavailable: it cannot be reached, or the owner may not do what is needed; the sentence says which.

    """
    with explained(readable(owner_url)):
        async with await psycopg.AsyncConnection[DictRow].connect(
            owner_url, autocommit=True, prepare_threshold=0, row_factory=dict_row
        ) as connection:
            login = conninfo_to_dict(readable(app_url)).get("user") if app_url else None
            if not await _is_present(connection):
                await _alone(connection)
                await asyncio.to_thread(_upgrade, owner_url)
                await make_checkpoint_tables(connection)
                await _finish(connection)
            if login:
                await _admit_login(connection, str(login))


async def _is_present(connection: AppConnection) -> bool:
    """Whether a process of this version has been here: looking takes no locks, and workers start all the time."""
    row = await (await connection.execute(statements("migrate")["mark"])).fetchone()
    return row is not None and row["mark"] == _mark()


def _mark() -> str:
    """Changes with the tables, the checkpoint tables, the functions and the rights."""
    head = ScriptDirectory(str(_MIGRATIONS)).get_current_head()
    scripts = (script(name) for name in ("functions", "publishing", "grants", "migrate", "checkpoints"))
    parts = (*scripts, str(head).encode())
    return hashlib.sha256(b"|".join((*parts, str(len(CHECKPOINT_MIGRATIONS)).encode()))).hexdigest()


async def _alone(connection: AppConnection) -> None:
    """Hold the migration lock until the connection closes.

    Asked for again and again, because a statement that waits for it would keep the checkpoint tables'
    CREATE INDEX CONCURRENTLY, in the process that holds it, waiting for ever.
    """
    ask = statements("migrate")["lock"]
    while True:
        row = await (await connection.execute(ask)).fetchone()
        if row and row["alone"]:
            return
        await asyncio.sleep(_LOOK_SECONDS)


def _upgrade(owner_url: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url), poolclass=pool.NullPool)
    try:
        with engine.begin() as connection:
            command.upgrade(alembic_config(connection), "head")
    except DBAPIError as error:
        raise error.orig or error from None


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for our versions on ``connection``, for whoever wants to run another of its commands."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


async def _finish(connection: AppConnection) -> None:
    async with connection.transaction():
        for part in (statements("migrate")["role"], script("functions"), script("publishing"), script("grants")):
            await connection.execute(part, prepare=False)  # many statements at once cannot be prepared
        mark = sql.SQL("COMMENT ON FUNCTION steward_guard_journal IS {}").format(sql.Literal(_mark()))
        await connection.execute(mark)


async def _admit_login(connection: AppConnection, login: str) -> None:
    async with connection.transaction():
        await connection.execute(statements("migrate")["login"], {"login": login})
        await connection.execute(statements("migrate")["member"])
