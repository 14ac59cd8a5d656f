"""B9: the wires to PostgreSQL and to the witness go bad in turn: slow, reset, half-open, thin. Then they are well again.

The workers alone are behind the wires; whoever asks and decides is not. What is asked for under bad weather is done at the
latest some time after it, once.
"""

from __future__ import annotations

import asyncio
import time

from tests.chaos.ground import Ground, Scene, a_scene
from tests.chaos.results import Result, below, some
from tests.chaos.storm import Force, blow, sound
from tests.chaos.toxics import BadWire, Toxic

_TOXICS = (Toxic.LATENCY, Toxic.RESET, Toxic.HALF_OPEN, Toxic.BANDWIDTH)
_BREAK = 1.5
_PATIENCE = 90


async def weather(ground: Ground) -> Result:
    """B9."""
    lasts = ground.size(2, 10)
    result = Result("B9", "Weather", f"{', '.join(_TOXICS)}: {lasts} s each, before PostgreSQL and before the witness")
    pieces = 2 * len(_TOXICS)
    every = 0.5
    force = Force(runs=int(pieces * (lasts + _BREAK) / every), every=every, patience=_PATIENCE)
    async with a_scene(ground, "weather", lies=0.02, wired=True) as scene:
        storm = asyncio.create_task(blow(scene, force, scene.steward))
        try:
            await scene.workers.keep(2)
            for wire in scene.wires:
                for toxic in _TOXICS:
                    await _bad(wire, toxic, lasts)
            cleared = time.monotonic()
            toll = await storm
            after = time.monotonic() - cleared
        finally:
            storm.cancel()
            await asyncio.gather(storm, return_exceptions=True)
        passed = _passed(scene)
    result.measures = [
        *sound(toll),
        below("from the end of bad weather until every run had ended", _PATIENCE, after),
        some("bytes that went through the thinnest wire", min(passed.values())),
    ]
    result.counts = toll.counts
    result.facts = {**toll.facts, "after_s": round(after, 1), "bytes": passed}
    return result


async def _bad(wire: BadWire, toxic: Toxic, seconds: float) -> None:
    """Bad for so long. A reset strikes what is open; what was half-open is gone at the end."""
    wire.toxic = toxic
    if toxic is Toxic.RESET:
        wire.cut()
    await asyncio.sleep(seconds)  # sleep: the weather lasts
    wire.toxic = Toxic.NONE
    if toxic is Toxic.HALF_OPEN:
        wire.cut()
    await asyncio.sleep(_BREAK)  # sleep: between two fronts


def _passed(scene: Scene) -> dict[str, int]:
    names = ("to PostgreSQL", "to the witness")
    return {name: wire.passed for name, wire in zip(names, scene.wires, strict=True)}
