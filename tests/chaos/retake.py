"""B6: how long a run lies idle after its worker was killed: from SIGKILL to the claim by another, by one clock."""

from __future__ import annotations

import asyncio
import time
from random import Random

from tests.chaos.ground import Ground, Scene, a_scene
from tests.chaos.patience import until
from tests.chaos.people import asker
from tests.chaos.results import Result, below, percentile, some, zero
from tests.chaos.storm import at_work

_WORKERS = 3
_HELD = 18
_FIRST_CLAIM = """
SELECT extract(epoch FROM min(at))::float8 FROM chaos_claim
WHERE run_id = %s AND epoch > %s
"""


async def retake(ground: Ground) -> Result:
    """B6."""
    kills = ground.size(20, 100)
    result = Result("B6", "Retake", "a worker with calls in flight is killed; others take its runs up")
    rng = Random(ground.seed)
    latencies: list[float] = []
    async with a_scene(ground, "retake", lease_seconds=15) as scene:
        await scene.workers.keep(_WORKERS)
        started = 0
        for _ in range(kills):
            started = await _fed(scene, started)
            await asyncio.sleep(rng.uniform(0.2, 0.5))  # sleep: where it strikes is the point
            latencies += await _one(scene, rng)
        await scene.witness.release()
        await scene.rest(90)
        told = (await scene.witness.says()).effects.get("hold", {})
        statuses = await scene.seen.statuses()
        stale = await scene.seen.stale_writes()
        killed = scene.workers.kills
    p50, p99 = percentile(latencies, 0.5), percentile(latencies, 0.99)
    result.counts = {
        "runs": started,
        "kills": killed,
        "lost": started - len(told),
        "duplicated": sum(times - 1 for times in told.values()),
        "stuck": started - statuses.get("done", 0),
        "stale_writes": stale,
    }
    result.measures = [
        some("runs taken up again", len(latencies), kills),
        below("from kill to claim, p50", 1, p50),
        below("from kill to claim, p99", 5, p99),
        *(
            zero(f"{what.replace('_', ' ')}", result.counts[what])
            for what in ("lost", "duplicated", "stuck", "stale_writes")
        ),
    ]
    result.facts = {
        "retake_p50_s": round(p50, 3),
        "retake_p99_s": round(p99, 3),
        "retake_max_s": round(max(latencies, default=0), 3),
        "retaken": len(latencies),
    }
    return result


async def _fed(scene: Scene, started: int) -> int:
    """As many runs under way as ever: a hold that is over makes room for another."""
    for _ in range(_HELD - await scene.seen.unfinished()):
        await scene.steward.start("chaos-brief", {"subject": f"r{started}"}, by=asker(scene.steward))
        started += 1
    return started


async def _one(scene: Scene, rng: Random) -> list[float]:
    """Kill one that has runs; the latency of each."""
    busy = await at_work(scene, 60)
    holder = rng.choice([h for h in await scene.seen.holders() if h.pid in busy])
    began = time.time()
    scene.workers.kill(holder.pid)
    orphans = await scene.seen.ask("SELECT id, epoch FROM run WHERE owner = %s", holder.worker)
    found = [await _claimed(scene, run_id, epoch) - began for run_id, epoch in orphans]
    await scene.workers.keep(_WORKERS)
    return found


async def _claimed(scene: Scene, run_id: str, epoch: int) -> float:
    async def claimed() -> bool:
        return (await scene.seen.ask(_FIRST_CLAIM, run_id, epoch))[0][0] is not None

    await until(claimed, every=0.02)
    return float((await scene.seen.ask(_FIRST_CLAIM, run_id, epoch))[0][0])
