"""A checkpointer for the public graph: it may look at everything, and writes to no run's own thread.

``update_state``, forks by ``checkpoint_id`` and resumes from outside all end in a write; refusing the write refuses
them all. A real run moves by its worker, and by nothing else.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import (
    BaseCheckpointSaver,
    ChannelVersions,
    Checkpoint,
    CheckpointMetadata,
    CheckpointTuple,
)

from governance.errors import Refused

IsRun = Callable[[str], Awaitable[bool]]


class GuardedSaver(BaseCheckpointSaver[Any]):
    """Wraps a saver. ``is_run`` says whether a thread id is a run's."""

    def __init__(self, saver: Callable[[], BaseCheckpointSaver[Any]], is_run: IsRun) -> None:
        super().__init__()
        self._open = saver
        self._is_run = is_run

    def get_next_version(self, current: Any, channel: None) -> Any:
        """The wrapped saver's way of numbering."""
        return self._open().get_next_version(current, channel)

    async def aget_tuple(self, config: RunnableConfig) -> CheckpointTuple | None:
        """Reading is free."""
        return await self._open().aget_tuple(config)

    async def alist(
        self,
        config: RunnableConfig | None,
        *,
        filter: dict[str, Any] | None = None,  # noqa: A002 - LangGraph's name
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[CheckpointTuple]:
        """Reading is free."""
        async for found in self._open().alist(config, filter=filter, before=before, limit=limit):
            yield found

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Write a checkpoint of a dry thread. Raises Refused on a run's own."""
        await self._refuse_runs(config)
        return await self._open().aput(config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Write a dry thread's pending writes. Raises Refused on a run's own."""
        await self._refuse_runs(config)
        await self._open().aput_writes(config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        """Delete a dry thread. Raises Refused on a run's own."""
        await self._refuse_runs({"configurable": {"thread_id": thread_id}})
        await self._open().adelete_thread(thread_id)

    async def _refuse_runs(self, config: RunnableConfig) -> None:
        thread = str(config.get("configurable", {}).get("thread_id", ""))
        if await self._is_run(thread):
            raise not_yours(thread)


def not_yours(thread: str) -> Refused:
    """The error for whoever tries to move a run from outside."""
    return Refused(
        f"Thread {thread} is a run's own: only its worker moves it.",
        hint="To try something from one of its checkpoints use `steward fork`, which makes a thread of its own.",
    )
