"""Bringing a database to the present version: tables (Alembic), checkpoint tables (LangGraph), functions and rights.

Everything is owned by whoever the owner's address logs in as. Any number of processes may do this at the same time.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import DictRow, dict_row
from sqlalchemy import create_engine, pool
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError

from memory.checkpoints import make_checkpoint_tables
from memory.database import AppConnection, explained, readable
from memory.statements import script, statements

_LOOK_SECONDS = 0.1


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
            await _alone(connection)
            await asyncio.to_thread(_upgrade, owner_url)
            await make_checkpoint_tables(connection)
            await _finish(connection, conninfo_to_dict(readable(app_url)).get("user") if app_url else None)


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
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


async def _finish(connection: AppConnection, login: object) -> None:
    sql = statements("migrate")
    async with connection.transaction():
        for part in (sql["role"], script("functions"), script("grants")):
            await connection.execute(part, prepare=False)  # many statements at once cannot be prepared
        if login:
            await connection.execute(sql["login"], {"login": str(login)})
            await connection.execute(sql["member"])
