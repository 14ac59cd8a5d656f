"""B4: workers are stopped for longer than their lease and go on as if nothing had been. What they then write is refused.

Twice: at random, under load; and staged, so that the late word surely comes: the worker has sent and waits for the
answer, its lease runs out, somebody else claims the run and has not written yet, the answer comes, the worker goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from datetime import timedelta
from random import Random

from governance.events import RunStatus
from governance.runs import Rest
from memory.database import open_database
from memory.liveness import open_liveness
from memory.runs import Runs
from tests.chaos.ground import Ground, Scene, a_scene
from tests.chaos.people import asker
from tests.chaos.results import Result, some, zero
from tests.chaos.storm import Force, Toll, at_work, blow, sound

_LEASE = 1.5
_LONGER = 2.6
_STAGED = 8
_FOR_EVER = timedelta(seconds=60)


async def suspended(ground: Ground) -> Result:
    """B4."""
    result = Result(
        "B4", "Suspended", "workers are stopped (SIGSTOP) for longer than their lease, then go on (SIGCONT)"
    )
    times = ground.size(4, 60)
    force = Force(runs=times * 14, every=0.3, mix=(("chaos", 3), ("chaos-placed", 1)))
    async with a_scene(ground, "suspended", lies=0.2, lease_seconds=_LEASE) as scene:
        toll, paused = await _at_random(scene, force, times)
        refused = scene.workers.said("slice given up")
    stale, staged_refused, lost, doubled, left = await staged(ground)
    result.measures = [
        *sound(toll),
        some("times a worker with runs was stopped", paused, times // 2),
        zero("stale writes, staged", stale),
        some("late words refused, staged", staged_refused, _STAGED),
        zero("effects lost, staged", lost),
        zero("effects duplicated, staged", doubled),
        zero("runs stuck, staged", left),
    ]
    result.counts = {**toll.counts, "runs": toll.counts["runs"] + _STAGED, "suspensions": paused}
    result.facts = {**toll.facts, "refused_at_random": refused, "refused_staged": staged_refused}
    return result


async def _at_random(scene: Scene, force: Force, times: int) -> tuple[Toll, int]:
    rng = Random(scene.ground.seed)
    storm = asyncio.create_task(blow(scene, force, scene.steward))
    paused = 0
    try:
        while paused < times and not storm.done():
            await asyncio.sleep(rng.uniform(0.1, 0.4))  # sleep: where it strikes is the point
            busy = await at_work(scene)
            if busy:
                paused += 1
                await _pause(rng.choice(busy))
        return await storm, paused
    finally:
        storm.cancel()
        await asyncio.gather(storm, return_exceptions=True)


async def _pause(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(_LONGER)  # sleep: longer than the lease
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


async def staged(ground: Ground, mutation: str = "") -> tuple[int, int, int, int, int]:
    """The late word, staged: stale writes, refusals, effects lost and duplicated, runs that did not end."""
    async with a_scene(ground, "staged", mutation=mutation, lease_seconds=_LEASE) as scene:
        pid = await scene.workers.fork()
        subjects = [f"z{number}" for number in range(_STAGED)]
        for subject in subjects:
            await scene.steward.start("chaos-held", {"subject": subject}, by=asker(scene.steward))
        await scene.holding(_STAGED)
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(_LONGER)  # sleep: the lease runs out
        await _claimed_meanwhile(scene, pid)
        if not mutation:
            with contextlib.suppress(TimeoutError):  # what is left is counted
                await scene.rest()
        effects = (await scene.witness.says()).effects.get("hold", {})
        return (
            await scene.seen.stale_writes(),
            scene.workers.said("does not own run"),
            sum(subject not in effects for subject in subjects),
            sum(times - 1 for times in effects.values()),
            await scene.seen.unfinished(),
        )


async def _claimed_meanwhile(scene: Scene, pid: int) -> None:
    """Be the worker that claims them and has not written yet, while the old one gets its answers."""
    async with open_database(scene.urls.app_url) as database, open_liveness(scene.urls.app_url, _FOR_EVER) as me:
        runs = Runs(database)
        await runs.reap()
        claims = await runs.claim(me.worker_id, _STAGED, _FOR_EVER)
        await scene.witness.release()
        os.kill(pid, signal.SIGCONT)
        await asyncio.sleep(2)  # sleep: the old one has all the time it needs
        for claim in claims:
            await runs.finish(claim, Rest(status=RunStatus.QUEUED, again=True))
