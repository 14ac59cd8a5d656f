"""The worker's own duties: whatever breaks a slice off, its run is handed back, tried again, and in the end parked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
import pytest_asyncio

from agents.ports import PlanningTask, Proposal
from governance.chain import Entry
from governance.errors import DatabaseUnavailable, StewardError, TailMoved
from governance.events import RunStatus
from governance.runs import Claim, SideRow
from graphs.machine import build_graph
from memory.checkpoints import checkpoint_saver
from memory.database import Database
from memory.liveness import open_liveness
from runtime.worker import FRUITLESS_LIMIT, Worker, WorkerParts
from tests.integration.graphs.house import LEASE, DoomedJournal, House, a_house, step
from tests.integration.graphs.world import World, serving

STEPS = (step("account", "account"), step("desk", "desk", account_id={"$ref": "account.id"}))


@pytest_asyncio.fixture
async def world() -> AsyncIterator[World]:
    """A fresh world, serving."""
    async with serving(World()) as served:
        yield served


@dataclass
class Bell:
    """A bell that nobody rings."""

    async def rung(self, seconds: float) -> None:
        """Return after so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.Event().wait()


@dataclass
class Faltering:
    """The real journal; the append of that number is written, and its caller hears of an error all the same."""

    real: DoomedJournal
    error: StewardError
    at: int
    appends: int = 0

    async def append(self, claim: Claim, entries: Sequence[Entry], rows: Sequence[SideRow] = ()) -> None:
        """Append, and perhaps fail to say so."""
        await self.real.append(claim, entries, rows)
        self.appends += 1
        if self.appends == self.at:
            raise self.error

    async def read(self, run_id: str, after: int = 0) -> list[Entry]:
        """As the real one."""
        return await self.real.read(run_id, after)


@dataclass
class Unreadable:
    """A journal whose entries nobody understands."""

    real: DoomedJournal

    async def append(self, claim: Claim, entries: Sequence[Entry], rows: Sequence[SideRow] = ()) -> None:
        """As the real one."""
        await self.real.append(claim, entries, rows)

    async def read(self, run_id: str, after: int = 0) -> list[Entry]:
        """Entries of a kind that does not exist."""
        return [replace(entry, body='{"kind":"no.such"}') for entry in await self.real.read(run_id, after)]


class DefectivePlanner:
    """A planner with a defect."""

    async def plan(self, _task: PlanningTask) -> Proposal:
        """Never comes to an answer."""
        raise ZeroDivisionError("a defect")


@asynccontextmanager
async def a_worker(house: House) -> AsyncIterator[None]:
    """A worker at work on the house's runs, alive in the database."""
    parts = WorkerParts(
        engine=house.engine,
        graph=house.graph,
        saver=lambda: checkpoint_saver(house.database),
        runs=house.runs,
        timers=house.timers,
        bell=Bell(),
        slots=4,
        lease=LEASE,
        poll_seconds=0.05,
    )
    async with open_liveness(house.database.url, LEASE) as identity:
        worker = Worker(parts, identity.worker_id)
        task = asyncio.create_task(worker.run())
        try:
            yield
        finally:
            worker.stop()
            await task


async def _rests(house: House, run_id: str, status: RunStatus) -> None:
    async with asyncio.timeout(30):
        async for _ in house.hints.watch(run_id):
            if (await house.runs.get(run_id)).status is status:
                return


@pytest.mark.parametrize("error", [TailMoved("the commit's result is unknown"), DatabaseUnavailable("it is away")])
async def test_a_run_that_is_still_ours_is_handed_back(database: Database, world: World, error: StewardError) -> None:
    """A lost commit breaks the slice off; nobody took the run from us, so nobody but us can give it back."""
    async with a_house(database, world, STEPS) as house:
        house.engine = replace(house.engine, journal=Faltering(house.engine.journal, error, at=4))  # type: ignore[arg-type]  # a_house's journal
        run_id = await house.admit()
        async with a_worker(_regraphed(house)):
            await _rests(house, run_id, RunStatus.DONE)
        assert world.effects == {"account:Ada Lovelace": 1, "desk:Ada Lovelace": 1}


async def test_a_run_that_breaks_every_slice_is_parked_with_its_reason(database: Database, world: World) -> None:
    """Poison: tried a few times, with pauses, then put before a person; other runs are not held up."""
    async with a_house(database, world, STEPS) as house:
        house.engine = replace(house.engine, planner=DefectivePlanner())
        run_id = await house.admit()
        async with a_worker(_regraphed(house)):
            await _rests(house, run_id, RunStatus.PARKED)
        parked = (await house.state(run_id)).parked
        assert parked is not None
        assert parked.poison
        assert f"{FRUITLESS_LIMIT} attempts" in parked.reason
        assert "ZeroDivisionError" in parked.reason


async def test_a_run_whose_journal_cannot_be_folded_is_parked_by_its_row(database: Database, world: World) -> None:
    """Nothing can be journaled for it, and it must neither be tried for ever nor stay a worker's own."""
    async with a_house(database, world, STEPS) as house:
        house.engine = replace(house.engine, journal=Unreadable(house.engine.journal))  # type: ignore[arg-type]  # a_house's journal
        run_id = await house.admit()
        async with a_worker(_regraphed(house)):
            await _rests(house, run_id, RunStatus.PARKED)
        row = await house.runs.get(run_id)
        assert row.owner is None
        assert "journal cannot be read" in row.waiting_for


def _regraphed(house: House) -> House:
    """The house with a graph over its changed engine."""
    house.graph = build_graph(house.engine)
    return house
