"""What workers share about systems: permits, rates, and breakers. Each worker here has sessions of its own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

import psycopg
import pytest

from governance.errors import Transient
from governance.systems import Permit
from memory.database import Database, open_database
from memory.health import HealthBoard, open_health
from memory.hints import Hints, open_hints
from memory.permits import Permits, open_permits
from memory.rates import Rates
from memory.sessionlocks import SessionLocks, open_session_locks
from tests.conftest import DatabaseUrls
from tests.integration.graphs.house import JumpingClock
from tools.breakers import Pass, Verdict
from tools.sharing import SharedBreakers

SECONDS = timedelta(seconds=1)


@dataclass(frozen=True)
class Worker:
    """What a worker process has of its own."""

    database: Database
    locks: SessionLocks
    board: HealthBoard
    permits: Permits
    hints: Hints

    def breakers(self, clock: JumpingClock) -> SharedBreakers:
        """Breakers that open after three failures."""
        return SharedBreakers(self.board, clock, threshold=3)


@asynccontextmanager
async def workers(urls: DatabaseUrls, count: int) -> AsyncIterator[list[Worker]]:
    """So many of them, for as long as the block lasts."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(count):
            database = await stack.enter_async_context(open_database(urls.app_url, size=2))
            hints = await stack.enter_async_context(open_hints(database))
            locks = await stack.enter_async_context(open_session_locks(database))
            board = await stack.enter_async_context(open_health(database, hints, locks))
            permits = await stack.enter_async_context(open_permits(locks))
            await hints.listening.wait()
            made.append(Worker(database, locks, board, permits, hints))
        yield made


async def test_permits_bound_the_calls_of_all_workers(database_urls: DatabaseUrls) -> None:
    """Three workers, forty calls each, four permits: never more than four at once, and everybody gets through."""
    now, most, ended = 0, 0, 0

    async def call(worker: Worker) -> None:
        nonlocal now, most, ended
        permit = worker.permits.try_take("shop", 4) or await worker.permits.take("shop", 4)
        now += 1
        most = max(most, now)
        await asyncio.sleep(0.005)  # sleep: the time that a call takes
        now -= 1
        ended += 1
        worker.permits.give(permit)

    async with workers(database_urls, 3) as all_of_them, asyncio.timeout(30):
        await asyncio.gather(*(call(worker) for worker in all_of_them for _ in range(40)))
    assert (ended, most) == (120, 4)


@pytest.mark.parametrize("limit", [1, 4])
async def test_a_worker_that_is_busy_for_ever_gives_way(database_urls: DatabaseUrls, limit: int) -> None:
    """Its calls never stop; another worker gets a permit all the same, also when there is only one."""
    async with workers(database_urls, 2) as (busy, other), asyncio.timeout(20):

        async def for_ever() -> None:
            while True:
                permit = busy.permits.try_take("shop", limit) or await busy.permits.take("shop", limit)
                await asyncio.sleep(0.005)  # sleep: the time that a call takes
                busy.permits.give(permit)

        calls = [asyncio.create_task(for_ever()) for _ in range(8)]
        await asyncio.sleep(0.1)  # sleep: so that the busy one has all permits
        for _ in range(3):
            other.permits.give(await other.permits.take("shop", limit))
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_a_hot_worker_pays_no_round_trip(database_urls: DatabaseUrls) -> None:
    """Having had a permit, the next is at hand; after idleness it has gone back."""
    async with workers(database_urls, 2) as (hot, other), asyncio.timeout(20):
        hot.permits.give(await hot.permits.take("shop", 1))
        for _ in range(100):
            permit = hot.permits.try_take("shop", 1)
            assert permit is not None
            hot.permits.give(permit)
        await other.permits.take("shop", 1)
        assert hot.permits.try_take("shop", 1) is None


async def test_a_killed_workers_permits_are_free_at_once(
    database_urls: DatabaseUrls, owner: psycopg.AsyncConnection
) -> None:
    """The server ends its sessions, as it does when the process is gone; the worker itself goes on by its own count."""
    async with workers(database_urls, 2) as (victim, other), asyncio.timeout(20):
        held = await victim.permits.take("shop", 1)
        waiting = asyncio.create_task(other.permits.take("shop", 1))
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7002"
        )
        assert (await waiting).slot is not None
        victim.permits.give(held)  # a permit of a lost session frees nobody else's


async def test_without_the_database_the_process_counts_by_itself(database_urls: DatabaseUrls) -> None:
    """A permit without a number: the process's own slots bound its calls."""
    async with workers(database_urls, 1) as (worker,), asyncio.timeout(20):
        with contextlib.suppress(psycopg.Error):
            await worker.database.pool.close()
        assert await worker.permits.take("shop", 1) == Permit("shop")


async def test_a_rate_is_shared_and_what_is_too_far_off_comes_later(database_urls: DatabaseUrls) -> None:
    """Ten a second, two at once: two workers ask thirty times at one moment. Those within a second have a place."""
    async with workers(database_urls, 2) as both:
        rates = [Rates(worker.database) for worker in both]
        asked = (rates[n % 2].turn("shop", rate=10, burst=2, linger=1) for n in range(30))
        turns = await asyncio.gather(*asked)
    now = sorted(turn.wait for turn in turns if turn.taken)
    later = sorted(turn.wait for turn in turns if not turn.taken)
    assert 12 <= len(now) <= 14
    assert now[1] == timedelta(0) < now[2]
    assert now[-1] <= 1.05 * SECONDS
    assert later[-1] - later[0] > 1.4 * SECONDS  # told to come one after the other
    assert all(one < other for one, other in pairwise(later))


async def _opened(breakers: SharedBreakers) -> None:
    for _ in range(3):
        await breakers.leave(await breakers.enter("shop"), Verdict.FAILED, why="http_503")


async def _heard(worker: Worker, *, opened: bool) -> None:
    async with asyncio.timeout(5):
        async for _ in worker.hints.watch("systems"):
            await asyncio.sleep(0)
            if (worker.board.view("shop").opened_at is not None) is opened:
                return


async def test_what_one_worker_sees_closes_the_way_for_all(database_urls: DatabaseUrls) -> None:
    """Failures of several workers count together; the probe's success opens it for all."""
    clock = JumpingClock()
    async with workers(database_urls, 2) as (one, other):
        mine, theirs = one.breakers(clock), other.breakers(clock)
        await mine.leave(await mine.enter("shop"), Verdict.FAILED, why="http_503")
        await theirs.leave(await theirs.enter("shop"), Verdict.FAILED, why="http_503")
        await mine.leave(await mine.enter("shop"), Verdict.FAILED, why="http_503")
        await _heard(other, opened=True)
        with pytest.raises(Transient) as refused:
            await theirs.enter("shop")
        assert refused.value.code == "breaker_open"
        assert other.board.view("shop").why == "http_503"
        clock.moment += 31 * SECONDS
        probe = await theirs.enter("shop")
        assert probe == Pass("shop", probe=True)
        await theirs.leave(probe, Verdict.SOUND)
        await _heard(one, opened=False)
        assert await mine.enter("shop") == Pass("shop")


async def test_exactly_one_probe_over_all_workers(database_urls: DatabaseUrls) -> None:
    """Of four workers with five calls each, one call tries; when it fails, all wait anew."""
    clock = JumpingClock()
    async with workers(database_urls, 4) as everyone:
        breakers = [worker.breakers(clock) for worker in everyone]
        await _opened(breakers[0])
        for worker in everyone:
            await _heard(worker, opened=True)
        clock.moment += 31 * SECONDS
        tried = await asyncio.gather(
            *(each.enter("shop") for each in breakers for _ in range(5)), return_exceptions=True
        )
        probes = [passed for passed in tried if isinstance(passed, Pass)]
        assert probes == [Pass("shop", probe=True)]
        who = breakers[[isinstance(passed, Pass) for passed in tried].index(True) // 5]
        await who.leave(probes[0], Verdict.FAILED, why="timeout")
        for each in breakers:
            with pytest.raises(Transient):
                await each.enter("shop")


async def test_a_dead_probe_lets_another_try(database_urls: DatabaseUrls, owner: psycopg.AsyncConnection) -> None:
    """The worker that tried was killed: its session is gone, and the next one tries."""
    clock = JumpingClock()
    async with workers(database_urls, 2) as (victim, other):
        theirs = other.breakers(clock)
        await _opened(theirs)
        await _heard(victim, opened=True)
        clock.moment += 31 * SECONDS
        assert (await victim.breakers(clock).enter("shop")).probe
        with pytest.raises(Transient):
            await theirs.enter("shop")
        await owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND classid = 7004"
        )
        async with asyncio.timeout(5):
            while True:
                with contextlib.suppress(Transient):
                    assert (await theirs.enter("shop")).probe
                    return


async def test_without_the_database_breakers_go_by_what_this_process_saw(database_urls: DatabaseUrls) -> None:
    """Three failures in a row of its own open it; nothing raises because the board is away."""
    clock = JumpingClock()
    async with workers(database_urls, 1) as (worker,):
        breakers = worker.breakers(clock)
        await worker.database.pool.close()
        await _opened(breakers)
        with pytest.raises(Transient):
            await breakers.enter("shop")


async def test_a_request_to_slow_down_reaches_all(database_urls: DatabaseUrls) -> None:
    """The later of two moments holds."""
    clock = JumpingClock()
    async with workers(database_urls, 2) as (one, other):
        await one.board.slow("shop", clock.now() + 60 * SECONDS)
        await other.board.slow("shop", clock.now() + 30 * SECONDS)
        assert other.board.view("shop").not_before == clock.now() + 60 * SECONDS
