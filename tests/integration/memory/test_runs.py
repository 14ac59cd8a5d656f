"""The queue on the run row: admitted once, woken, claimed by one, finished, reaped."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import psycopg
import pytest

from governance.chain import verify
from governance.errors import Fenced, InvalidInput, NotFound
from governance.events import RunStatus
from governance.runs import Claim, Rest, SetTimer
from memory.ids import new_id
from memory.journal import Journal
from memory.runs import Runs
from memory.timers import Timers
from tests.conftest import DatabaseUrls
from tests.fakes import FIRST_MOMENT
from tests.fixtures.journals import LEASE, Chain, admit, claimed
from tests.integration.memory.workers import worker

WAITING = Rest(RunStatus.WAITING, waiting_for="a review")
FRUITLESS = Rest(RunStatus.WAITING, progressed=False)


async def test_an_admitted_run_is_due_and_its_journal_has_begun(runs: Runs, journal: Journal) -> None:
    """Row and entry say the same."""
    chain = Chain()
    entry = chain.admitted()
    row = await runs.admit(entry)
    assert row == await runs.get(entry.run_id)
    assert (row.id, row.playbook, row.title) == (entry.run_id, "onboarding@1", "Onboard Ada Lovelace")
    assert (row.requester, row.source) == ("katherine.johnson@acme.example", "test")
    assert (row.status, row.admitted_at, row.epoch, row.owner) == (RunStatus.QUEUED, FIRST_MOMENT, 0, None)
    assert await journal.read(row.id) == [entry]
    assert [claim.run_id for claim in await runs.claim(1, 10, LEASE)] == [row.id]


async def test_the_same_trigger_admits_once(runs: Runs, journal: Journal) -> None:
    """Twenty at once and one later: one run, one journal, and all callers get it."""
    rows = await asyncio.gather(*(runs.admit(Chain().admitted(), dedupe="mail-1") for _ in range(20)))
    rows.append(await runs.admit(Chain().admitted(title="later"), dedupe="mail-1"))
    assert len({row.id for row in rows}) == 1
    assert len([entry async for entry in journal.all_entries()]) == 1
    assert (await runs.admit(Chain().admitted(), dedupe="mail-2")).id != rows[0].id


async def test_what_cannot_be_kept_is_said_and_admits_nothing(runs: Runs) -> None:
    """A NUL character in the title."""
    with pytest.raises(InvalidInput):
        await runs.admit(Chain().admitted(title="Ada\x00"))
    assert await runs.list() == []
    with pytest.raises(ValueError, match=r"run\.admitted"):
        await runs.admit(Chain().next())


async def test_two_processes_never_claim_the_same_run(database_urls: DatabaseUrls, runs: Runs) -> None:
    """Two hundred due runs, two real workers at the same time: each run goes to exactly one."""
    made = {(await admit(runs))[0].id for _ in range(200)}
    async with worker(database_urls.app_url) as first, worker(database_urls.app_url) as second:
        assert first.worker_id != second.worker_id
        mine, others = await asyncio.gather(first.claim(), second.claim())
        assert len(mine) + len(others) == 200
        assert {*mine, *others} == made
        assert all([(await runs.get(run_id)).owner == first.worker_id for run_id in mine[:5]])


async def test_a_killed_workers_runs_are_reaped_within_half_a_second(database_urls: DatabaseUrls, runs: Runs) -> None:
    """After SIGKILL, long before its lease ends; while it lives nothing is taken."""
    await admit(runs)
    async with worker(database_urls.app_url) as victim:
        (run_id,) = await victim.claim()
        assert await runs.reap() == 0
        await victim.kill()
        async with asyncio.timeout(0.5):
            while await runs.reap() != 1:
                pass
    row = await runs.get(run_id)
    assert (row.owner, row.status, row.deaths) == (None, RunStatus.QUEUED, 1)
    assert [claim.epoch for claim in await runs.claim(9, 1, LEASE)] == [2]


async def test_a_claim_takes_the_longest_due_first_and_raises_the_epoch(runs: Runs) -> None:
    """As many as asked for; a claimed run is not due."""
    ids = [(await admit(runs))[0].id for _ in range(3)]
    assert await runs.claim(7, 2, LEASE) == [Claim(ids[0], 7, 1), Claim(ids[1], 7, 1)]
    assert await runs.claim(8, 2, LEASE) == [Claim(ids[2], 8, 1)]
    assert await runs.claim(8, 2, LEASE) == []
    row = await runs.get(ids[0])
    assert (row.status, row.owner, row.wake_at) == (RunStatus.RUNNING, 7, None)


async def test_a_finished_slice_rests_until_it_is_woken(runs: Runs) -> None:
    """Waking twice is waking once; a wake during the slice is kept for afterwards."""
    run = await claimed(runs)
    assert await runs.finish(run.claim, WAITING) == 0
    row = await runs.get(run.row.id)
    assert (row.status, row.waiting_for, row.owner, row.wake_at) == (RunStatus.WAITING, "a review", None, None)
    assert await runs.claim(1, 1, LEASE) == []
    await runs.wake(run.row.id)
    await runs.wake(run.row.id)
    (again,) = await runs.claim(1, 5, LEASE)
    await runs.wake(run.row.id)
    assert await runs.claim(1, 5, LEASE) == []
    await runs.finish(again, WAITING)
    (third,) = await runs.claim(1, 5, LEASE)
    assert third.epoch == 3
    await runs.finish(third, Rest(RunStatus.RUNNING, again=True))
    assert len(await runs.claim(1, 5, LEASE)) == 1


async def test_only_the_present_claim_may_finish(runs: Runs) -> None:
    """An older epoch, another owner, or a second time: fenced, and nothing changes."""
    run = await claimed(runs)
    for stale in (Claim(run.row.id, 1, 0), Claim(run.row.id, 2, 1), Claim(new_id(), 1, 1)):
        with pytest.raises(Fenced):
            await runs.finish(stale, WAITING)
    assert (await runs.get(run.row.id)).owner == 1
    await runs.finish(run.claim, WAITING)
    with pytest.raises(Fenced):
        await runs.finish(run.claim, Rest(RunStatus.DONE))


async def test_an_ended_run_sleeps_for_ever(runs: Runs, timers: Timers, journal: Journal) -> None:
    """A late wake does nothing, its timers are gone, it ended when its last event says."""
    run = await claimed(runs)
    run.chain.at = FIRST_MOMENT + timedelta(days=3)
    await journal.append(run.claim, [run.next()], [SetTimer("sla", FIRST_MOMENT)])
    await runs.wake(run.row.id)
    await runs.finish(run.claim, Rest(RunStatus.DONE))
    await runs.wake(run.row.id)
    row = await runs.get(run.row.id)
    assert (row.status, row.ended_at, row.wake_at) == (RunStatus.DONE, run.chain.at, None)
    assert await timers.next_due() is None
    assert await runs.claim(1, 1, LEASE) == []


async def test_fruitless_slices_come_back_later_and_later(runs: Runs, owner: psycopg.AsyncConnection) -> None:
    """After 1, 2, 4 … seconds; the count goes up, and any progress sets it to nothing."""
    run = await claimed(runs)
    claim = run.claim
    for count, delay in enumerate([1, 2, 4, 8, 16, 32, 60, 60], start=1):
        await runs.wake(run.row.id)  # does not shorten the pause of a run that may be poison
        assert await runs.finish(claim, FRUITLESS) == count
        assert await runs.claim(1, 1, LEASE) == []
        pause = await owner.execute("SELECT extract(epoch FROM wake_at - now()) FROM run")
        row = await pause.fetchone()
        assert row
        assert delay - 0.9 < float(row[0]) <= delay
        await runs.wake(run.row.id)
        (claim,) = await runs.claim(1, 1, LEASE)
    assert await runs.finish(claim, WAITING) == 0


async def test_a_hung_worker_loses_its_runs_with_its_lease(
    runs: Runs, journal: Journal, owner: psycopg.AsyncConnection
) -> None:
    """Though it holds its lock; renewing keeps them. Who lost them can write and finish nothing."""
    await owner.execute("SELECT pg_advisory_lock(7001, 1)")
    run = await claimed(runs)
    await runs.renew(1, timedelta(seconds=-1))
    await runs.renew(1, LEASE)
    assert await runs.reap() == 0
    await runs.renew(1, timedelta(seconds=-1))
    assert await runs.reap() == 1
    with pytest.raises(Fenced):
        await journal.append(run.claim, [run.next()])
    with pytest.raises(Fenced):
        await runs.finish(run.claim, WAITING)
    assert verify(await journal.read(run.row.id)).entries == 1


async def test_runs_are_found_by_id_beginning_and_status(runs: Runs) -> None:
    """Nothing, nonsense and several are each told apart from one."""
    run = await claimed(runs)
    other, _ = await admit(runs)
    assert (await runs.find_prefix(run.row.id)).id == run.row.id
    assert (await runs.find_prefix(f" {run.row.id[:-3].upper()}")).id == run.row.id
    with pytest.raises(NotFound, match="More than one"):
        await runs.find_prefix(run.row.id[:5])
    for little in ("", " ", run.row.id[:3], "-1-2-", "%"):
        with pytest.raises(NotFound, match="too little") as caught:
            await runs.find_prefix(little)
        assert caught.value.hint == "Give at least 4 of its characters."
    for nonsense in ("ffff", "x'; DROP TABLE run", "%%%%", "éééé", "0" * 40):
        with pytest.raises(NotFound, match="no run"):
            await runs.find_prefix(nonsense)
    for nobody in (new_id(), "x", ""):
        with pytest.raises(NotFound):
            await runs.get(nobody)
    assert [row.id for row in await runs.list()] == [other.id, run.row.id]
    assert [row.id for row in await runs.list(status=RunStatus.RUNNING)] == [run.row.id]
    assert len(await runs.list(limit=1)) == 1
