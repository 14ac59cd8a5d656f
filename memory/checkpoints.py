"""Where LangGraph's checkpoints are kept: PostgreSQL, by the stock saver. A checkpoint is a cached copy of the fold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde import _msgpack
from langgraph.checkpoint.serde.types import ERROR

from governance.errors import InvalidSettings
from memory.database import AppConnection, Database
from memory.statements import statements


def checkpoint_saver(database: Database) -> BaseCheckpointSaver[str]:
    """A saver over the shared connections. Make one for each slice: a saver serialises its own reads and writes.

    Raises:
        InvalidSettings: LangGraph was imported without LANGGRAPH_STRICT_MSGPACK=true, so that reading a checkpoint
            could run code.

    """
    _demand_strict()
    return _Saver(database.pool)


class _Saver(AsyncPostgresSaver):
    """The stock saver, which keeps no words of errors: they may quote anybody. Of an error its class is kept."""

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        kept = [(channel, type(value).__name__ if channel == ERROR else value) for channel, value in writes]
        await super().aput_writes(config, kept, task_id, task_path)


async def make_checkpoint_tables(connection: AppConnection) -> None:
    """Make LangGraph's tables, or bring them to its present version. ``connection`` is the owner's."""
    await AsyncPostgresSaver(connection).setup()


async def forget_checkpoints(connection: AppConnection, run_id: str) -> None:
    """Delete all checkpoints of a run and of its forks, in the transaction that ``connection`` is in."""
    saver = AsyncPostgresSaver(connection)
    forks = await connection.execute(statements("erasure")["forks"], {"prefix": f"fork-{run_id}-%"})
    for thread in [run_id, *(str(row["thread_id"]) for row in await forks.fetchall())]:
        await saver.adelete_thread(thread)


def _demand_strict() -> None:
    if not _msgpack.STRICT_MSGPACK_ENABLED:
        raise InvalidSettings(
            "LangGraph was imported before LANGGRAPH_STRICT_MSGPACK=true was set, so checkpoints would not be safe.",
            hint="Set LANGGRAPH_STRICT_MSGPACK=true in the environment, or import runtime.wiring first.",
        )
