"""Where LangGraph's checkpoints are kept: in its own tables and rows. A checkpoint is a cached copy of the fold.

A run's slice writes through a :class:`SliceSaver`: its checkpoints wait in memory and become durable with the run row,
in one transaction (``memory.runs.Runs.finish``), if the claim still holds. What a dead slice had not handed back is gone, and
nothing is lost by that: the journal has it all.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    WRITES_IDX_MAP,
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
    get_checkpoint_id,
    get_serializable_checkpoint_metadata,
)
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.checkpoint.serde import _msgpack
from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.serde.types import ERROR, _DeltaSnapshot
from psycopg import AsyncCursor
from psycopg.rows import DictRow, dict_row

from governance.errors import InvalidSettings
from memory.batching import Together
from memory.database import AppConnection, Database
from memory.statements import statements
from memory.unflushed import Unflushed, columns

_VERSION_LENGTH = 15
_LATEST = """
    JOIN (SELECT w.thread, w.ns, (SELECT max(c.checkpoint_id) FROM checkpoints c
                                  WHERE c.thread_id = w.thread AND c.checkpoint_ns = w.ns) AS latest
          FROM unnest(%s::text[], %s::text[]) AS w (thread, ns)) AS wanted
      ON checkpoints.thread_id = wanted.thread AND checkpoints.checkpoint_ns = wanted.ns
     AND checkpoints.checkpoint_id = wanted.latest
"""


class _Saver(AsyncPostgresSaver):
    """The stock saver, which keeps no words of errors: they may quote anybody. Of an error its class is kept."""

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        await super().aput_writes(config, _wordless(writes), task_id, task_path)


class SliceSaver(AsyncPostgresSaver):
    """Keeps what a slice writes until it is flushed, and reads that before the database.

    A read while something waits is made in a transaction in which the waiting rows are written first, and which is then
    rolled back: so every question has the answer that it would have after the flush, by the stock saver's own statements.
    """

    def __init__(self, checkpoints: Checkpoints, *, fresh: bool = False) -> None:
        """``fresh``: nothing is there of its threads yet."""
        super().__init__(checkpoints.database.pool, serde=checkpoints.serde)
        self._fresh = fresh
        self.unflushed = Unflushed()
        self._checkpoints = checkpoints
        self._latest: dict[tuple[str, str], CheckpointTuple | None] = {}

    def get_next_version(self, current: str | None, channel: None) -> str:
        """The next version of a channel: the stock saver's counter and chance, in 15 characters for its 50.

        A checkpoint names a version some twenty times. Threads that began with the long form go on with it, for versions are
        compared as text.
        """
        if current is not None and len(current) > _VERSION_LENGTH:
            return str(super().get_next_version(current, channel))
        number = int(current.partition(".")[0]) + 1 if current else 1
        return f"{number:08}.{random.getrandbits(24):06x}"

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Keep a checkpoint for the flush: plain values inline and others as blobs, as the stock saver does."""
        self._latest.clear()
        where = config["configurable"]
        thread, ns, key = where["thread_id"], where["checkpoint_ns"], checkpoint["id"]
        inline: dict[str, Any] = {}
        apart: dict[str, Any] = {}
        for channel, value in checkpoint["channel_values"].items():
            if isinstance(value, _DeltaSnapshot):
                inline[channel], apart[channel] = True, value
            elif value is None or isinstance(value, str | int | float | bool):
                inline[channel] = value
            else:
                apart[channel] = value
        versions = {channel: version for channel, version in new_versions.items() if channel in apart}
        for *blob_key, kind, blob in self._dump_blobs(thread, ns, apart, versions):
            self.unflushed.blobs.setdefault(tuple(map(str, blob_key)), (kind, blob))
        told = get_serializable_checkpoint_metadata(config, metadata)
        parent = where.get("checkpoint_id")
        before = self.unflushed.checkpoints.get((thread, ns, key))
        self.unflushed.checkpoints[thread, ns, key] = (
            before[0] if before else parent,
            {**checkpoint, "channel_values": inline},
            told,
        )
        return {"configurable": {"thread_id": thread, "checkpoint_ns": ns, "checkpoint_id": key}}

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Keep a task's writes for the flush. Special writes replace earlier ones, ordinary ones do not."""
        self._latest.clear()
        where = config["configurable"]
        kept = _wordless(writes) if self._checkpoints.wordless else writes
        replace = all(channel in WRITES_IDX_MAP for channel, _ in writes)
        place = (where["thread_id"], where["checkpoint_ns"], where["checkpoint_id"], task_id)
        for *_, idx, channel, kind, blob in self._dump_writes(*place, task_path, kept):
            if replace or (*place, idx) not in self.unflushed.writes:
                self.unflushed.writes[*place, idx] = (task_path, channel, kind, blob, replace)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """The checkpoint. The latest of a thread, with nothing waiting, is read together with other slices' and kept."""
        if self.unflushed or get_checkpoint_id(config):
            return await super().aget_tuple(config)
        where = config["configurable"]
        key = (str(where["thread_id"]), str(where.get("checkpoint_ns", "")))
        if key not in self._latest:
            row = None if self._fresh else await self._checkpoints.latest.ask(key)
            self._latest[key] = await self._load_checkpoint_tuple(row) if row else None
        return self._latest[key]

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a thread, with what waits of it."""
        self._latest.clear()
        self.unflushed.forget(str(thread_id))
        await AsyncPostgresSaver(self._checkpoints.database.pool).adelete_thread(thread_id)

    async def aprune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Flush, then prune as the stock saver does."""
        await self.flush()
        self._latest.clear()
        await super().aprune(thread_ids, strategy=strategy)

    async def flush(self) -> None:
        """Make what waits durable by itself: for threads that are no run's. Runs hand it back with their row."""
        waiting, self.unflushed = self.unflushed, Unflushed()
        self._fresh = False
        async with self._checkpoints.database.connection() as connection:
            await _write(connection, waiting)

    @asynccontextmanager
    async def _cursor(self, *, pipeline: bool = False) -> AsyncIterator[AsyncCursor[DictRow]]:
        if not self.unflushed:
            async with super()._cursor(pipeline=pipeline) as cursor:
                yield cursor
            return
        async with (
            self._checkpoints.database.connection() as connection,
            connection.transaction(force_rollback=True),
            connection.cursor(binary=True, row_factory=dict_row) as cursor,
        ):
            await _write(connection, self.unflushed)
            yield cursor


class Checkpoints:
    """Makes the savers of slices, whose reads share round trips."""

    def __init__(self, database: Database, *, wordless: bool = True) -> None:
        """``wordless``: of an error its class is kept and not its words, which may quote anybody."""
        _demand_strict()
        self.database = database
        self.wordless = wordless
        self.serde: SerializerProtocol = JsonPlusSerializer()
        self.latest = Together(self._latest, name="checkpoints")

    def saver(self, *, fresh: bool = False) -> SliceSaver:
        """A saver for one slice; ``fresh``: the first of its run, so that there is nothing to read."""
        return SliceSaver(self, fresh=fresh)

    async def _latest(self, keys: Sequence[tuple[str, str]]) -> list[DictRow | None]:
        threads, spaces = [key[0] for key in keys], [key[1] for key in keys]
        async with self.database.connection() as connection, connection.cursor(binary=True) as cursor:
            await cursor.execute((AsyncPostgresSaver.SELECT_SQL + _LATEST).encode(), (threads, spaces))
            rows = {(row["thread_id"], row["checkpoint_ns"]): row for row in await cursor.fetchall()}
        return [rows.get(key) for key in keys]


def checkpoint_saver(database: Database) -> BaseCheckpointSaver[str]:
    """A saver that writes at once, over the shared connections: for dry threads and forks.

    Raises:
        InvalidSettings: LangGraph was imported without LANGGRAPH_STRICT_MSGPACK=true, so that reading a checkpoint
            could run code.

    """
    _demand_strict()
    return _Saver(database.pool)


async def make_checkpoint_tables(connection: AppConnection) -> None:
    """Make LangGraph's tables, or bring them to its present version. ``connection`` is the owner's."""
    await AsyncPostgresSaver(connection).setup()
    for name in ("lean_checkpoints", "lean_blobs", "lean_writes"):
        await connection.execute(statements("checkpoints")[name])


async def forget_checkpoints(connection: AppConnection, run_id: str) -> None:
    """Delete all checkpoints of a run and of its forks, in the transaction that ``connection`` is in."""
    saver = AsyncPostgresSaver(connection)
    forks = await connection.execute(statements("erasure")["forks"], {"prefix": f"fork-{run_id}-%"})
    for thread in [run_id, *(str(row["thread_id"]) for row in await forks.fetchall())]:
        await saver.adelete_thread(thread)


async def _write(connection: AppConnection, waiting: Unflushed) -> None:
    await connection.execute(statements("checkpoints")["flush"], columns([waiting]))


def _wordless(writes: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
    return [(channel, type(value).__name__ if channel == ERROR else value) for channel, value in writes]


def _demand_strict() -> None:
    if not _msgpack.STRICT_MSGPACK_ENABLED:
        raise InvalidSettings(
            "LangGraph was imported before LANGGRAPH_STRICT_MSGPACK=true was set, so checkpoints would not be safe.",
            hint="Set LANGGRAPH_STRICT_MSGPACK=true in the environment, or import runtime.wiring first.",
        )
