"""One round of either side: what so many runs at once take in time, CPU, commits and log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.driver import driving
from tests.bench.server import Server
from tests.bench.sides import application, bare_side, worker

WARM_RUNS = 4


@dataclass
class Meter:
    """CPU and log between two moments. ``parts``: seconds of CPU of the processes, PostgreSQL and the driver."""

    server: Server
    pids: tuple[int, ...]
    cpu: dict[str, float]

    def _now(self) -> dict[str, float]:
        return {
            "processes": sum(map(machine.cpu_s, self.pids)),
            "postgres": self.server.cpu_s(),
            "driver": time.process_time(),
        }


@contextmanager
def metered(server: Server, *pids: int) -> Iterator[dict[str, float]]:
    """Fills in the seconds of CPU that were used in the block."""
    meter = Meter(server, pids, {})
    before, load = meter._now(), machine.load()
    yield meter.cpu
    after = meter._now()
    meter.cpu.update({name: after[name] - before[name] for name in before})
    meter.cpu.update(load_before=load, load_after=machine.load())


def per_run(side: str, runs: int, seconds: float, cpu: dict[str, float], wal: int) -> dict[str, Any]:
    """A round as it is kept."""
    parts = {name: round(1000 * cpu[name] / runs, 3) for name in ("processes", "postgres", "driver")}
    return {
        "side": side,
        "runs": runs,
        "seconds": round(seconds, 4),
        "runs_per_s": round(runs / seconds, 3),
        "cpu_ms_per_run": round(sum(parts.values()), 3),
        **{f"cpu_ms_{name}": value for name, value in parts.items()},
        "wal_kib_per_run": round(wal / runs / 1024, 2),
        "load_before": cpu["load_before"],
        "load_after": cpu["load_after"],
    }


async def steward_round(
    server: Server,
    database: str,
    runs: int,
    *,
    workers: int = 1,
    slots: int | None = None,
    profile: Path | None = None,
) -> dict[str, Any]:
    """Steward: so many runs at once. ``runs`` 0: what starting, warming up and ending costs in commits."""
    before = await server.commits(database)
    found: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        steward = await stack.enter_async_context(application(server, database))
        crew = [
            await stack.enter_async_context(worker(server, database, slots=slots, profile=profile))
            for _ in range(workers)
        ]
        driver = await stack.enter_async_context(driving(steward, server, database))
        await driver.whole(WARM_RUNS * workers)
        if runs:
            await server.calm()
            wal = await server.wal_bytes()
            with metered(server, *(each.pid for each in crew)) as cpu:
                began = time.time()
                ids = await driver.whole(runs)
            seconds = await driver.last_commit(ids) - began
            found = per_run("steward", runs, seconds, cpu, await server.wal_bytes() - wal)
    return {**found, "commits": await server.commits(database) - before}


async def bare_round(
    server: Server, database: str, runs: int, *, side: str = "bare", at_once: int = 256, own_savers: bool = False
) -> dict[str, Any]:
    """Bare LangGraph: so many runs, ``at_once`` of them at once."""
    before = await server.commits(database)
    found: dict[str, Any] = {}
    async with bare_side(server, database) as bare:
        if runs:
            await server.calm()
            wal = await server.wal_bytes()
            with metered(server, bare.process.pid) as cpu:
                answer = await bare.ask("batch", runs=runs, at_once=at_once, own_savers=own_savers)
            if answer["done"] != runs:
                raise RuntimeError(f"bare LangGraph did not do all its work: {answer}")
            found = per_run(side, runs, answer["seconds"], cpu, await server.wal_bytes() - wal)
    return {**found, "commits": await server.commits(database) - before}
