"""B5: a worker is asked to stop (SIGTERM) while calls are in flight that outlast every lease. Nobody takes them from it."""

from __future__ import annotations

import os
import signal
import time

from tests.chaos.ground import Ground, Scene, a_scene
from tests.chaos.patience import until
from tests.chaos.people import asker
from tests.chaos.results import Result, equal, some, zero
from tests.chaos.workers import running

_LEASE = 2
_HELD = 8  # seconds that each call takes, by the playbook chaos-long


async def drain(ground: Ground) -> Result:
    """B5."""
    result = Result("B5", "Drain", f"SIGTERM while calls of {_HELD} s are in flight; the lease is {_LEASE} s")
    runs = ground.size(8, 16)
    async with a_scene(ground, "drain", lease_seconds=_LEASE) as scene:
        old = await scene.workers.fork()
        for number in range(runs):
            await scene.steward.start("chaos-long", {"subject": f"d{number}"}, by=asker(scene.steward))
        await scene.holding(runs)
        new = await scene.workers.fork()
        await _ready(scene, new)
        began = time.time()
        os.kill(old, signal.SIGTERM)
        lasted, ended = await _gone(old, began)
        query = "SELECT count(*) FROM chaos_claim WHERE epoch > 1 AND at < to_timestamp(%s) AND app = %s"
        taken = int((await scene.seen.ask(query, ended, f"chaos-{new}"))[0][0])
        await scene.rest()
        told = await scene.witness.says()
        statuses = await scene.seen.statuses()
        stale = await scene.seen.stale_writes()
    sent, made = told.times.get("hold", {}), told.effects.get("hold", {})
    result.measures = [
        zero("runs taken from the draining worker", taken),
        zero("calls sent more than once", sum(times > 1 for times in sent.values())),
        equal("effects", runs, sum(made.values())),
        equal("runs done", runs, statuses.get("done", 0)),
        zero("stale writes", stale),
        some("leases that the drain outlasted", int(lasted / _LEASE), 2),
    ]
    result.counts = {
        "runs": runs,
        "lost": runs - len(made),
        "duplicated": sum(made.values()) - len(made),
        "stuck": runs - statuses.get("done", 0),
        "stale_writes": stale,
    }
    result.facts = {"drained_s": round(lasted, 2), "statuses": statuses}
    return result


async def _ready(scene: Scene, pid: int) -> None:
    async def works() -> bool:
        return pid in {holder.pid for holder in await scene.seen.holders()}

    await until(works)


async def _gone(pid: int, began: float) -> tuple[float, float]:
    async def gone() -> bool:
        return not running(pid)

    await until(gone, every=0.02)
    return time.time() - began, time.time()
