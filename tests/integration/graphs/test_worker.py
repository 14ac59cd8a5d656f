"""The worker's own duties: whatever breaks a slice off, its run is handed back, tried again, and in the end parked."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio

from agents.ports import PlanningTask, Proposal
from governance.chain import Entry
from governance.errors import DatabaseUnavailable, StewardError, TailMoved
from governance.events import RunStatus
from governance.outside import OutsideEvent
from governance.reviews import approve
from governance.runs import Claim, Rest, SideRow
from graphs.control import Control
from graphs.machine import build_graph
from graphs.slice import work_slice
from memory.database import Database
from memory.liveness import open_liveness
from memory.outside import OutsideEvents
from memory.runs import Runs
from runtime.worker import CROWD, FRUITLESS_LIMIT, Worker, WorkerParts
from tests.integration.graphs.house import LEASE, MARY, DoomedJournal, House, a_house, step
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


@dataclass
class Refusing:
    """A journal that takes nothing."""

    real: DoomedJournal

    async def append(self, _claim: Claim, _entries: Sequence[Entry], _rows: Sequence[SideRow] = ()) -> None:
        """Never."""
        raise ZeroDivisionError("a defect")

    async def read(self, run_id: str, after: int = 0) -> list[Entry]:
        """As the real one."""
        return await self.real.read(run_id, after)


@dataclass
class Clumsy:
    """The real runs; the first slice that is handed back cannot be written."""

    real: Runs
    failed: bool = False

    async def finish(self, claim: Claim, rest: Rest, saver: object = None) -> int:
        """Give back, or not."""
        if not self.failed:
            self.failed = True
            raise ZeroDivisionError("a defect")
        return await self.real.finish(claim, rest, saver)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)


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
        saver=house.checkpoints.saver,
        runs=house.runs,
        timers=house.timers,
        bell=Bell(),
        slots=4,
        lease=LEASE,
        poll_seconds=0.05,
        tidy=OutsideEvents(house.database).forget,
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
        async for _ in house.hints.watch_growth(run_id):
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


async def test_a_run_that_cannot_even_be_parked_comes_back_after_a_pause(database: Database, world: World) -> None:
    """Its park fails as its slices did: it is tried again after a minute, and not at once and for ever."""
    async with a_house(database, world, STEPS) as house:
        house.engine = replace(house.engine, journal=Refusing(house.engine.journal))  # type: ignore[arg-type]  # a_house's journal
        run_id = await house.admit()
        async with house.database.connection() as connection:
            await connection.execute("UPDATE run SET fruitless = %s", [FRUITLESS_LIMIT])
        async with a_worker(_regraphed(house)), asyncio.timeout(30):
            async for _ in house.hints.watch_growth(run_id):
                row = await house.runs.get(run_id)
                if row.fruitless > FRUITLESS_LIMIT and row.owner is None:
                    break
            await asyncio.sleep(1)  # sleep: a run that is due again at once is claimed many times in it
        row = await house.runs.get(run_id)
        assert row.fruitless == FRUITLESS_LIMIT + 1
        assert row.wake_at is not None


async def test_a_run_whose_journal_has_ended_is_not_parked_for_its_row(database: Database, world: World) -> None:
    """Its workers failed to hand it back again and again: nothing is journaled behind its end, and no question is put."""
    async with a_house(database, world, STEPS) as house:
        run_id = await house.admit()
        (claim,) = await house.runs.claim(7, 1, LEASE)
        await work_slice(house.engine, house.graph, house.checkpoints.saver(), claim, Control())
        await house.runs.reap()
        async with house.database.connection() as connection:
            await connection.execute("UPDATE run SET fruitless = %s", [FRUITLESS_LIMIT])
        async with a_worker(house):
            await _rests(house, run_id, RunStatus.DONE)
        assert (await house.journal.read(run_id))[-1].kind == "run.ended"
        assert await house.reviews.list(run_id=run_id) == []


async def test_a_slice_that_cannot_be_handed_back_leaves_nobody_its_owner(database: Database, world: World) -> None:
    """The database refuses what one slice leaves, and with it all that go in the same batch: they are taken up again."""
    async with a_house(database, world, STEPS) as house:
        house.runs = Clumsy(house.runs)  # type: ignore[assignment]  # it has all that a worker needs
        run_id = await house.admit()
        async with a_worker(house):
            await _rests(house, run_id, RunStatus.DONE)
        assert world.effects == {"account:Ada Lovelace": 1, "desk:Ada Lovelace": 1}


async def test_what_a_crowd_was_told_is_taken_up_before_its_slices_have_their_turn(
    database: Database, world: World
) -> None:
    """All slots are busy with slow calls, and many people have answered: their verdicts are journaled all the same."""
    pay = step("pay", "pay", account_id={"$ref": "account.id"}, amount=50)
    async with a_house(database, world, [STEPS[0], pay], goals=("account", "pay")) as house:
        runs = [await house.admit(f"Ada Lovelace {number}") for number in range(CROWD * 4 + 8)]
        async with a_worker(house):
            for run_id in runs:
                await _rests(house, run_id, RunStatus.WAITING)
            world.gates["pay"] = asyncio.Event()
            for row in await house.reviews.list():
                await house.reviews.decide(row.card.id, approve(), by=MARY.id, at=house.clock.now())
            async with asyncio.timeout(30):
                async for _ in house.hints.watch_growth(""):
                    states = [await house.state(run_id) for run_id in runs]
                    # Those in the slots, and the first crowd; who answers after it may be too few for another.
                    if sum(any(r.verdict for r in state.reviews.values()) for state in states) >= 4 + CROWD * 4:
                        break
            assert world.calls.count("pay") <= 4  # as many as there are slots
            world.gates.pop("pay").set()
            for run_id in runs:
                await _rests(house, run_id, RunStatus.DONE)
        assert all(count == 1 for count in world.effects.values())


async def test_a_worker_forgets_the_events_of_last_week(database: Database, world: World) -> None:
    """Those of the week stay: a repeat of them is one."""
    async with a_house(database, world, STEPS) as house:
        events = OutsideEvents(database)
        old, new = (OutsideEvent(id=name, type="t", source="s") for name in ("old", "new"))
        await events.publish(old, house.clock.now())
        await house.clock.sleep(8 * 24 * 3600)  # sleep: on a clock where it takes no time
        await events.publish(new, house.clock.now())
        run_id = await house.admit()
        async with a_worker(house):
            await _rests(house, run_id, RunStatus.DONE)
        assert (await events.publish(old, house.clock.now())).first
        assert not (await events.publish(new, house.clock.now())).first
