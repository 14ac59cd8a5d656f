"""A worker's identity, and the hints that spare it waiting for the next poll."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from datetime import timedelta

import psycopg
import pytest

from governance.errors import DatabaseUnavailable
from governance.runs import InputKind
from graphs.ports import Hints as HintsPort
from memory.database import Database
from memory.hints import open_hints
from memory.inbox import Inbox
from memory.journal import Journal
from memory.liveness import open_liveness
from memory.runs import Runs
from tests.conftest import DatabaseUrls
from tests.fixtures.journals import admit, claimed

LEASE = timedelta(seconds=0.6)


async def test_a_lease_is_renewed_while_the_event_loop_is_busy(
    database_urls: DatabaseUrls, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """The loop stands still for twice the lease, and nothing is reaped."""
    await admit(runs)
    async with open_liveness(database_urls.app_url, LEASE) as worker:
        (claim,) = await runs.claim(worker.worker_id, 1, LEASE)
        time.sleep(2 * LEASE.total_seconds())  # noqa: ASYNC251 # sleep: a blocked loop is what this is about
        assert await runs.reap() == 0
        assert (await runs.get(claim.run_id)).owner == worker.worker_id
        assert not worker.lost.is_set()
    assert await runs.reap() == 1
    assert not worker.lost.is_set()


async def test_a_worker_learns_at_once_that_its_session_is_gone(
    database_urls: DatabaseUrls, owner: psycopg.AsyncConnection
) -> None:
    """Not first at the next renewal."""
    renewed = "SELECT 1 FROM pg_stat_activity WHERE state = 'idle' AND query LIKE '%SET lease_until%'"
    async with open_liveness(database_urls.app_url, timedelta(seconds=600)) as worker:
        while not await (await owner.execute(renewed)).fetchone():
            pass
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE classid = 7001 AND objid = %s", [worker.worker_id]
        )
        async with asyncio.timeout(5):
            await worker.lost.wait()


async def test_no_two_workers_are_the_same(database_urls: DatabaseUrls) -> None:
    """Also one after the other."""
    async with (
        open_liveness(database_urls.app_url, LEASE) as first,
        open_liveness(database_urls.app_url, LEASE) as second,
    ):
        pass
    async with open_liveness(database_urls.app_url, LEASE) as third:
        assert len({first.worker_id, second.worker_id, third.worker_id}) == 3


async def test_no_worker_without_a_database() -> None:
    """One sentence."""
    with pytest.raises(DatabaseUnavailable):
        async with open_liveness("postgresql://127.0.0.1:1/x", LEASE):
            pass


async def test_hints_come_for_what_is_new(database: Database, runs: Runs, inbox: Inbox, journal: Journal) -> None:
    """An inbox row or an admission to who watches for wakes, an entry to who looks on; long before the poll."""
    run = await claimed(runs)
    async with open_hints(database, poll_seconds=60) as hints, asyncio.timeout(10):
        port: HintsPort = hints
        await hints.listening.wait()
        async with (
            aclosing(hints.watch(run.row.id)) as mine,
            aclosing(hints.watch_any()) as any_run,
            aclosing(hints.watch_growth(run.row.id)) as growth,
            aclosing(hints.watch_growth()) as any_growth,
        ):
            for watch in (mine, any_run, growth, any_growth):
                await anext(watch)
            await journal.append(run.claim, [run.next()])
            await anext(growth)
            await anext(any_growth)
            woken = asyncio.ensure_future(anext(mine))
            await asyncio.sleep(0)
            assert not woken.done()
            await inbox.put(run.row.id, InputKind.CANCEL, {})
            await woken
            await anext(any_run)
            await admit(runs)
            await anext(any_run)
        assert not hints._watchers
        assert port is hints


async def test_hints_for_other_runs_do_not_come(database: Database, runs: Runs) -> None:
    """Only the poll does."""
    run, _ = await admit(runs)
    other, _ = await admit(runs)
    async with open_hints(database, poll_seconds=60) as hints, asyncio.timeout(10):
        await hints.listening.wait()
        async with aclosing(hints.watch(run.id)) as mine, aclosing(hints.watch(other.id)) as others:
            await anext(mine)
            await anext(others)
            waiting = asyncio.ensure_future(anext(mine))
            await runs.wake(other.id)
            await anext(others)
            assert not waiting.done()
            await runs.wake(run.id)
            await waiting


async def test_without_hints_the_poll_comes_and_the_connection_comes_back(
    database: Database, runs: Runs, owner: psycopg.AsyncConnection
) -> None:
    """The connection is killed: watchers are polled meanwhile, and hinted again after."""
    run, _ = await admit(runs)
    async with open_hints(database, poll_seconds=0.05) as hints, asyncio.timeout(10):
        await hints.listening.wait()
        async with aclosing(hints.watch(run.id)) as mine:
            await owner.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
            while hints.listening.is_set():
                await anext(mine)
            await anext(mine)
            await hints.listening.wait()
