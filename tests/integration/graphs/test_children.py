"""Child runs: started once, linked, told about once, cancelled from above; whatever dies in between."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from governance.effects import StepStatus
from governance.events import ENDED, RunStatus
from governance.runs import InputKind, Rest
from graphs.control import Control
from graphs.slice import work_slice
from memory.checkpoints import checkpoint_saver
from memory.database import Database
from tests.integration.graphs.house import ASKER, LEASE, MAY_BE_MISSED, Crash, House, a_house, step
from tests.integration.graphs.world import World, serving

START: dict[str, Any] = {
    "id": "child",
    "tool": "runs.start@1",
    "args": {"playbook": "chore", "request": {"name": {"$ref": "request.name"}}},
    "reason": "it is work of its own",
    "confidence": 0.9,
}
DESK = step("desk", "desk")
AFTER = step("account", "account", after=["child"])
WAIT: dict[str, Any] = {
    "id": "pause",
    "tool": "clock.wait@1",
    "args": {"for_seconds": 3600},
    "reason": "give it time",
    "confidence": 0.9,
}


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


async def _life(house: House, *, dies: bool = False) -> tuple[str, Rest | None] | None:
    """One claim of whichever run is due; ``dies``: between the slice and handing it back. None when none is due."""
    house.lives += 1
    house.doom.dead = False
    await house.timers.fire_due(house.clock.now())
    await house.runs.reap()
    claims = await house.runs.claim(100_000 + house.lives, 1, LEASE)
    if not claims:
        return None
    try:
        rest = await work_slice(house.engine, house.graph, checkpoint_saver(house.database), claims[0], Control())
    except Crash:
        return claims[0].run_id, None
    if not (dies and rest.status in ENDED):
        await house.runs.finish(claims[0], rest)
    return claims[0].run_id, rest


async def _rest(house: House, *, dies: bool = False, most: int = 40) -> None:
    """Lives until nothing is due."""
    for _ in range(most):
        if await _life(house, dies=dies) is None:
            return
        dies = False
    raise AssertionError("the runs do not come to rest")


@pytest.mark.parametrize("dies", [False, True])
async def test_a_child_does_its_work_and_its_parent_goes_on(database: Database, world: World, dies: bool) -> None:
    """Also when the child's worker dies between the end of its journal and handing the run back."""
    async with a_house(database, world, [START, AFTER], chore=[DESK]) as house:
        run_id = await house.admit()
        await _rest(house, dies=dies)
        (child,) = await house.runs.children(run_id)
        assert (child.status, child.parent_id, child.parent_step) == (RunStatus.DONE, run_id, "child")
        assert (child.requester, child.source) == (ASKER.id, "run")
        state = await house.state(run_id)
        assert state.ended is not None
        ended = state.step("child").ended
        assert ended is not None
        assert ended.output is not None
        assert ended.output["run_id"] == child.id
        assert ended.output["status"] == "done"
        assert world.effects == {"desk:Ada Lovelace": 1, "account:Ada Lovelace": 1}
        assert (await house.state(child.id)).admitted.depth == 1  # type: ignore[union-attr]


async def test_a_crash_at_every_append_starts_one_child(database: Database) -> None:
    """Parent or child may die after any append, and at every send: one child, one of each effect, both done."""
    async with serving(World()) as world, a_house(database, world, [START, AFTER], chore=[DESK]) as house:
        await house.admit()
        await _rest(house)
        counts = dict(house.doom.counts)
        assert counts["append"] > 5
        missed = 0
        for point in [f"{name}:{number}" for name, count in counts.items() for number in range(1, count + 1)]:
            for kept in (world.effects, world.records, world.by_key, world.calls):
                kept.clear()
            house.doom.counts.clear()
            house.doom.at, house.doom.hit = point, False
            run_id = await house.admit()
            for _ in range(6):
                await _rest(house)
                await house.clock.sleep(600)  # sleep: on a clock where it takes no time
            missed += not house.doom.hit
            assert (await house.runs.get(run_id)).status is RunStatus.DONE, point
            (child,) = await house.runs.children(run_id)
            assert child.status is RunStatus.DONE, point
            assert set(world.effects.values()) == {1}, point
        assert missed <= MAY_BE_MISSED


async def test_a_cancel_goes_down_and_the_parent_waits_for_the_childs_end(database: Database, world: World) -> None:
    """The child is told once; it stops before anything was done; then the parent ends too."""
    async with a_house(database, world, [START, AFTER], chore=[WAIT, step("desk", "desk", after=["pause"])]) as house:
        run_id = await house.admit()
        await _rest(house)
        (child,) = await house.runs.children(run_id)
        assert (await house.runs.get(run_id)).waiting_for == f"child (the run {child.id})"
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "stop"})
        await _rest(house)
        (child,) = await house.runs.children(run_id)
        assert child.status is RunStatus.CANCELLED
        assert (await house.runs.get(run_id)).status is RunStatus.CANCELLED
        ended = (await house.state(run_id)).step("child").ended
        assert ended is not None
        assert ended.status is StepStatus.STOPPED
        cancels = [entry for entry in await house.journal.read(child.id) if entry.kind == "cancel.asked"]
        assert len(cancels) == 1
        assert "desk" not in world.calls


async def test_a_cancelled_child_takes_back_what_it_did_before_its_parent_ends(
    database: Database, world: World
) -> None:
    """The cancel goes down; the child undoes its desk, and only then the parent is over."""
    async with a_house(database, world, [START, AFTER], chore=[DESK, {**WAIT, "after": ["desk"]}]) as house:
        run_id = await house.admit()
        await _rest(house)
        await house.inbox.put(run_id, InputKind.CANCEL, {"by": ASKER.id, "reason": "stop"})
        await _rest(house)
        (child,) = await house.runs.children(run_id)
        assert child.status is RunStatus.CANCELLED
        assert world.undone == {"desk:Ada Lovelace": 1}
        assert (await house.runs.get(run_id)).status is RunStatus.CANCELLED
        ended = (await house.state(run_id)).step("child").ended
        assert ended is not None
        assert ended.status is StepStatus.STOPPED
        assert child.id in ended.why


async def test_a_run_that_starts_itself_comes_to_an_end(database: Database, world: World) -> None:
    """At most five deep; the sixth is refused in words, and every run above it stops for a person."""
    again = {**START, "id": "again"}
    async with a_house(database, world, [START, AFTER], chore=[again]) as house:
        run_id = await house.admit()
        await _rest(house, most=60)
        depth, at = 0, run_id
        while children := await house.runs.children(at):
            depth, at = depth + 1, children[0].id
        assert depth == 5
        last = (await house.state(at)).step("again").ended
        assert last is not None
        assert last.failure is not None
        assert last.failure.code == "child_depth"
        assert (await house.runs.get(at)).status is RunStatus.PARKED


async def test_the_checker_knows_the_childs_request(database: Database, world: World) -> None:
    """A request that the playbook would refuse never becomes a plan that runs."""
    wrong = {**START, "args": {"playbook": "chore", "request": {"nam": "Ada"}}}
    async with a_house(database, world, [wrong, AFTER], chore=[DESK]) as house:
        run_id = await house.admit()
        await _rest(house)
        findings = (await house.state(run_id)).checked.findings  # type: ignore[union-attr]
        assert {finding.place for finding in findings} >= {"steps.child.args.request.nam"} or any(
            "name" in finding.sentence for finding in findings
        )
        assert await house.runs.children(run_id) == []
