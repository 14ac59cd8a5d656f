"""LangGraph's public suite for checkpointers, on the slice's saver: with its rows in memory, and with each one flushed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.conformance import checkpointer_test, validate
from langgraph.checkpoint.conformance.capabilities import Capability

from memory.checkpoints import Checkpoints, SliceSaver
from memory.database import Database

TESTED = {
    Capability.PUT,
    Capability.PUT_WRITES,
    Capability.GET_TUPLE,
    Capability.LIST,
    Capability.DELETE_THREAD,
    Capability.PRUNE,
}


class Hasty(SliceSaver):
    """Flushes after each put."""

    async def aput(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Put and flush."""
        placed = await super().aput(config, checkpoint, metadata, new_versions)
        await self.flush()
        return placed

    async def aput_writes(
        self, config: RunnableConfig, writes: Sequence[tuple[str, Any]], task_id: str, task_path: str = ""
    ) -> None:
        """Put and flush."""
        await super().aput_writes(config, writes, task_id, task_path)
        await self.flush()


@pytest.mark.parametrize("kind", [SliceSaver, Hasty])
async def test_it_behaves_as_a_checkpointer_must(database: Database, kind: type[SliceSaver]) -> None:
    """Every behaviour that the suite knows of the capabilities that the stock saver has, too."""
    checkpoints = Checkpoints(database, wordless=False)

    @checkpointer_test(name=kind.__name__)
    async def registered() -> AsyncGenerator[SliceSaver, None]:
        yield kind(checkpoints)

    report = await validate(registered)
    failures = {name: result.failures for name, result in report.results.items() if result.failures}
    assert failures == {}
    assert report.passed_all_base()
    assert {name for name, result in report.results.items() if result.passed} == {one.value for one in TESTED}


async def test_what_waits_is_seen_by_its_saver_alone_until_it_is_flushed(database: Database) -> None:
    """A slice reads its own checkpoints; nobody else sees them before they are handed back."""
    checkpoints = Checkpoints(database)
    saver = checkpoints.saver()
    config: RunnableConfig = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    checkpoint: Checkpoint = {
        "v": 4,
        "id": "1f000000-0000-6000-8000-000000000001",
        "ts": "2027-01-04T09:00:00+00:00",
        "channel_values": {"seq": 1, "at": {"reviews": []}},
        "channel_versions": {"seq": "1", "at": "1"},
        "versions_seen": {},
        "updated_channels": None,
    }
    placed = await saver.aput(config, checkpoint, {"step": 0}, {"seq": "1", "at": "1"})
    await saver.aput_writes(placed, [("seq", 2)], "task")
    mine = await saver.aget_tuple(config)
    assert mine is not None
    assert mine.checkpoint["channel_values"] == {"seq": 1, "at": {"reviews": []}}
    assert mine.pending_writes == [("task", "seq", 2)]
    assert await checkpoints.saver().aget_tuple(config) is None
    await saver.flush()
    assert not saver.unflushed
    theirs = await checkpoints.saver().aget_tuple(config)
    assert theirs is not None
    assert theirs.pending_writes == mine.pending_writes


async def test_results_that_a_later_checkpoint_holds_are_not_kept(database: Database) -> None:
    """What lasts of a slice: every checkpoint, the writes of the last one, and what was asked or went wrong before."""
    saver = Checkpoints(database).saver()
    where: RunnableConfig = {"configurable": {"thread_id": "t", "checkpoint_ns": ""}}
    for number in (1, 2):
        checkpoint: Checkpoint = {
            "v": 4,
            "id": f"1f000000-0000-6000-8000-00000000000{number}",
            "ts": "2027-01-04T09:00:00+00:00",
            "channel_values": {"seq": number},
            "channel_versions": {"seq": str(number)},
            "versions_seen": {},
            "updated_channels": None,
        }
        where = await saver.aput(where, checkpoint, {"step": number}, {"seq": str(number)})
        await saver.aput_writes(where, [("seq", number + 1)], "task")
        await saver.aput_writes(where, [("__interrupt__", ["what"])], "other")
    kept = saver.unflushed.lasting()
    assert len(kept.checkpoints) == 2
    assert sorted((key[2][-1], row[1]) for key, row in kept.writes.items()) == [
        ("1", "__interrupt__"),
        ("2", "__interrupt__"),
        ("2", "seq"),
    ]


def test_versions_grow_and_threads_keep_the_form_that_they_began_with() -> None:
    """Versions are compared as text: the short form in order, and a thread with the stock saver's long ones goes on so."""
    saver = SliceSaver.__new__(SliceSaver)
    short: list[str] = [saver.get_next_version(None, None)]
    for _ in range(12):
        short.append(saver.get_next_version(short[-1], None))
    assert short == sorted(short)
    assert {len(version) for version in short} == {15}
    long = f"{7:032}.{0.25:016}"
    after = saver.get_next_version(long, None)
    assert after > long
    assert len(after) > len(short[0])
