"""The battery's own test: each guard of the engine is taken away in turn, and each time something must go wrong."""

from __future__ import annotations

from tests.chaos.ground import Ground, a_scene
from tests.chaos.mutations import DEDUPE, EPOCH, RECONCILE, SETTLE, forgetful
from tests.chaos.results import Result, some
from tests.chaos.storm import Force, blow
from tests.chaos.suspended import staged

_PLACED = (("chaos-placed", 1),)


async def mutants(ground: Ground) -> Result:
    """The mutation check."""
    result = Result("M", "Mutants", "without a guard something must go wrong, or the battery proves nothing")
    stale, *_ = await staged(ground, EPOCH)
    unasked = await _placed(ground, RECONCILE, "after500")
    unsettled = await _placed(ground, SETTLE, "late")
    forgotten = await _forgotten(ground)
    result.measures = [
        some("stale writes without the epoch test", stale),
        some("duplicates without the lookup", unasked),
        some("duplicates without the settle time", unsettled),
        some("duplicates without admission's key", forgotten),
    ]
    result.facts = {EPOCH: stale, RECONCILE: unasked, SETTLE: unsettled, DEDUPE: forgotten}
    return result


async def _placed(ground: Ground, mutation: str, lie: str) -> int:
    """Duplicates at a remote without keys that lies to every first request; too few to open the breaker."""
    force = Force(runs=4, mix=_PLACED, patience=60)
    async with a_scene(ground, f"mutant-{mutation}", lies=1, kinds=(lie,), mutation=mutation) as scene:
        return (await blow(scene, force, scene.steward)).counts["duplicated"]


async def _forgotten(ground: Ground) -> int:
    """Duplicates when everything is asked for twice with the same key, and admission forgets the key."""
    force = Force(runs=8, mix=(("chaos", 1),), repeats=2, patience=60)
    async with a_scene(ground, "mutant-dedupe", mutation=DEDUPE) as scene:
        return (await blow(scene, force, forgetful(scene.steward))).counts["duplicated"]
