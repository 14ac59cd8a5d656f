"""Real worker processes and a tool that kills them, or outlasts them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from governance.events import ENDED, RunStatus
from governance.runs import CONVICTED
from runtime.application import Application
from tests.chaos.onboardings import onboarders
from tests.conftest import DatabaseUrls
from tests.fixtures.company import HR, person, steward_on
from tests.integration.runtime.fuse import fuse_home


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def _statuses(steward: Application, runs: list[str]) -> dict[str, RunStatus]:
    return {row.id: row.status for row in await steward.runs(limit=1000) if row.id in runs}


async def _until(steward: Application, done: Callable[[], Awaitable[bool]]) -> None:
    """Return when it is so; looked at whenever anything has changed, and each second."""
    async with asyncio.timeout(90), contextlib.aclosing(steward.stirred()) as stirred:
        async for _ in stirred:
            if await done():
                return


async def test_a_run_that_kills_its_workers_is_parked_and_no_other(database_urls: DatabaseUrls, tmp_path: Path) -> None:
    """A tool ends the process each time. After a bounded number of deaths that one run is parked, all others are done."""
    home, log = fuse_home(tmp_path)
    async with onboarders(database_urls, home) as forge, steward_on(database_urls, home) as steward:
        by = person(steward, HR)
        healthy = [(await steward.start("fuse", {"name": f"sparkler {n}"}, by=by)).id for n in range(12)]
        bomb = (await steward.start("fuse", {"name": "bomb"}, by=by)).id
        workers = [await forge.fork() for _ in range(2)]
        deaths = 0

        async def parked() -> bool:
            nonlocal deaths
            for place, pid in enumerate(workers):
                if not _alive(pid):
                    deaths += 1
                    workers[place] = await forge.fork()
            return (await _statuses(steward, [bomb]))[bomb] is RunStatus.PARKED

        async def ended() -> bool:
            return all(status in ENDED for status in (await _statuses(steward, healthy)).values())

        await _until(steward, parked)
        await _until(steward, ended)
        assert set((await _statuses(steward, healthy)).values()) == {RunStatus.DONE}
        view = await steward.show(bomb)
        assert f"its workers died {CONVICTED} times in a row" in (view.parked_because or "")
        assert deaths <= CONVICTED
        assert log.read_text().count("begin bomb") <= CONVICTED


async def test_a_drain_outlasts_lease_and_poll_and_nobody_takes_the_run(
    database_urls: DatabaseUrls, tmp_path: Path
) -> None:
    """SIGTERM in a call of three seconds with a lease of one: another worker runs all the time and never takes it."""
    home, log = fuse_home(tmp_path)
    async with onboarders(database_urls, home, lease_seconds=1) as forge, steward_on(database_urls, home) as steward:
        first = await forge.fork()
        run = await steward.start("fuse", {"name": "slow"}, by=person(steward, HR))

        async def begun() -> bool:
            return "begin slow" in log.read_text()

        async def drained() -> bool:
            epoch = (await steward.show(run.id)).row.epoch
            assert epoch == 1 or "end slow" in log.read_text()
            return not _alive(first)

        async def done() -> bool:
            return (await _statuses(steward, [run.id]))[run.id] is RunStatus.DONE

        await _until(steward, begun)
        os.kill(first, signal.SIGTERM)
        second = await forge.fork()
        await _until(steward, drained)
        await _until(steward, done)
        assert log.read_text().splitlines() == [f"begin slow {first}", f"end slow {first}"]
        assert _alive(second)
