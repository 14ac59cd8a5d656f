"""B1, B2: real workers die by SIGKILL and PostgreSQL by immediate stops, while runs go on and the witness lies.

Runs are fed so that a few hundred are under way at any time. A victim is one that has runs, if there is one. Afterwards
what was asked for is compared with what the witness counted, and every chain is verified.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import psycopg

from governance.errors import Unavailable
from runtime.application import Application
from tests.chaos.ground import Ground, Scene, a_scene
from tests.chaos.people import Deciders, asker, deciding
from tests.chaos.results import Measure, Result, below, equal, percentile, some, zero

MIX = (("chaos", 60), ("chaos-gated", 15), ("chaos-placed", 15), ("chaos-shouted", 10))
EFFECTS = {
    "chaos": ("note", "charge"),
    "chaos-gated": ("note", "charge"),
    "chaos-decided": ("charge",),
    "chaos-placed": ("place",),
    "chaos-shouted": ("charge", "shout"),
}
WORKERS = 3
_UNDER_WAY = 200
_GIVE_UP = 60


@dataclass(frozen=True)
class Force:
    """How hard it blows: runs, kills and stops in all; seconds between two blows at most, and between two starts."""

    runs: int
    kills: int = 0
    stops: int = 0
    pause: float = 0.5
    every: float = 0
    patience: float = 180
    mix: tuple[tuple[str, int], ...] = MIX
    repeats: int = 1


@dataclass
class Toll:
    """What a storm left behind."""

    wanted: dict[str, set[str]] = field(default_factory=dict)
    started: int = 0
    struck: int = 0
    up_s: list[float] = field(default_factory=list)
    back_s: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    doubled: dict[str, int] = field(default_factory=dict)
    acked_lost: int = 0
    chains_ok: bool = False


async def storm(ground: Ground) -> Result:
    """B1: kills."""
    force = Force(runs=ground.size(240, 8000), kills=ground.size(30, 900), pause=0.4)
    result = Result("B1", "Storm", "workers die by SIGKILL at work, the witness lies to every seventh request")
    async with a_scene(ground, "storm", lies=0.15) as scene:
        toll = await blow(scene, force, scene.steward)
    result.measures = [*sound(toll), some("kills that struck a worker with runs", toll.struck, force.kills // 2)]
    result.counts, result.facts = toll.counts, toll.facts
    return result


async def outage(ground: Ground) -> Result:
    """B2: immediate stops of PostgreSQL, with kills in between."""
    stops = ground.size(3, 50)
    force = Force(
        runs=ground.size(100, 2000), kills=ground.size(4, 100), stops=stops, pause=2.0, patience=240, repeats=2
    )
    result = Result("B2", "Outage", "PostgreSQL is stopped by `pg_ctl -m immediate` under load and started again")
    async with a_scene(ground, "outage", lies=0.05) as scene:
        toll = await blow(scene, force, scene.steward)
    result.measures = [
        *sound(toll),
        equal("immediate stops", stops, len(toll.back_s)),
        zero("acknowledged starts and verdicts lost", toll.acked_lost),
        below("from a stop until work asked for after it is done, p50", 10, percentile(toll.back_s or [99], 0.5)),
    ]
    result.counts = {**toll.counts, "stops": len(toll.back_s)}
    result.facts = {
        **toll.facts,
        "server_up_p50_s": round(percentile(toll.up_s, 0.5), 2),
        "back_p50_s": round(percentile(toll.back_s, 0.5), 2),
        "back_max_s": round(max(toll.back_s, default=0), 2),
    }
    return result


async def keyless(ground: Ground) -> Result:
    """B3: a remote without keys, asked before anything is done again; and the naive baseline, which asks nothing."""
    result = Result("B3", "No keys", "a remote without idempotency keys: it is searched before anything is sent again")
    force = Force(runs=ground.size(40, 400), kills=ground.size(5, 40), pause=0.8, mix=(("chaos-placed", 1),))
    async with a_scene(ground, "keyless", lies=0.3) as scene:
        toll = await blow(scene, force, scene.steward)
    naive = Force(runs=ground.size(20, 200), kills=ground.size(2, 20), pause=0.8, mix=(("chaos-placed", 1),))
    async with a_scene(ground, "naive", lies=0.3, mutation="reconcile") as scene:
        baseline = await blow(scene, naive, scene.steward)
    doubled = baseline.counts["duplicated"]
    result.measures = [*sound(toll), some("the naive baseline's duplicates", doubled)]
    result.counts = toll.counts
    result.facts = {**toll.facts, "naive_runs": naive.runs, "naive_duplicated": doubled}
    return result


def sound(toll: Toll) -> list[Measure]:
    """What must hold after any storm."""
    counts = toll.counts
    return [
        equal("runs that were asked for and exist", toll.started, counts["runs"]),
        zero("effects lost", counts["lost"]),
        zero("effects duplicated", counts["duplicated"]),
        zero("runs stuck or parked", counts["stuck"]),
        zero("stale writes", counts["stale_writes"]),
        Measure("every chain verifies", "yes", "yes" if toll.chains_ok else "no", toll.chains_ok),
    ]


async def blow(scene: Scene, force: Force, door: Application) -> Toll:
    """Feed, strike, wait until all has ended, count. ``door`` is where runs are started."""
    toll = Toll()
    rng = Random(f"{scene.ground.seed}:{force}")
    began = time.monotonic()
    async with deciding(scene) as deciders:
        await scene.workers.keep(WORKERS)
        feeding = asyncio.create_task(_feed(scene, force, door, rng, toll))
        keeping = asyncio.create_task(_keep(scene))
        try:
            await _strike(scene, force, rng, toll)
            await feeding
            with contextlib.suppress(TimeoutError):  # what is under way then counts as stuck
                await scene.rest(force.patience)
        finally:
            for task in (feeding, keeping):
                task.cancel()
            await asyncio.gather(feeding, keeping, return_exceptions=True)
    toll.facts["seconds"] = round(time.monotonic() - began, 1)
    await _count(scene, toll, deciders)
    return toll


async def _feed(scene: Scene, force: Force, door: Application, rng: Random, toll: Toll) -> None:
    """Start runs, each asked for ``repeats`` times with the same key, as triggers that repeat themselves do."""
    books = rng.choices([name for name, _ in force.mix], [weight for _, weight in force.mix], k=force.runs)
    for number, book in enumerate(books):
        subject = f"s{number}"
        for effect in EFFECTS[book]:
            toll.wanted.setdefault(effect, set()).add(subject)
        for _ in range(force.repeats):
            await _start(door, book, subject)
        toll.started += 1
        await asyncio.sleep(force.every)  # sleep: a pace, where one is wanted
        if number % 20 == 19:
            await _room(scene)


async def _start(door: Application, book: str, subject: str) -> None:
    """Until it is confirmed: what was not may be there all the same, and the key finds it."""
    while True:
        try:
            await door.start(book, {"subject": subject}, by=asker(door), dedupe=f"chaos:{subject}")
        except Unavailable:
            await asyncio.sleep(0.2)  # sleep: the database is away
        else:
            return


async def _room(scene: Scene) -> None:
    while True:
        with contextlib.suppress(psycopg.OperationalError):
            if await scene.seen.unfinished() < _UNDER_WAY:
                return
        await asyncio.sleep(0.2)  # sleep: until some have ended


async def _keep(scene: Scene) -> None:
    while True:
        await scene.workers.keep(WORKERS)
        await asyncio.sleep(0.3)  # sleep: a supervisor's round


async def _strike(scene: Scene, force: Force, rng: Random, toll: Toll) -> None:
    blows = ["kill"] * force.kills + ["stop"] * force.stops
    rng.shuffle(blows)
    for what in blows:
        await asyncio.sleep(rng.uniform(0.05, force.pause))  # sleep: where a blow strikes is the point
        if what == "kill":
            await _kill(scene, rng, toll)
        else:
            up, back = await _stop(scene, toll)
            toll.up_s.append(up)
            toll.back_s.append(back)


async def _kill(scene: Scene, rng: Random, toll: Toll) -> None:
    """Kill a worker that has runs; if none has within a while, any."""
    busy = await at_work(scene)
    toll.struck += bool(busy)
    await scene.workers.keep(WORKERS)
    scene.workers.kill(rng.choice([pid for pid in busy if pid in scene.workers.alive] or scene.workers.alive))
    await scene.workers.keep(WORKERS)


async def at_work(scene: Scene, seconds: float = 2) -> list[int]:
    """The workers that have runs at this moment; none when nobody has any for so long."""
    until, busy = time.monotonic() + seconds, list[int]()
    while not busy and time.monotonic() < until:
        with contextlib.suppress(psycopg.OperationalError):
            busy = [h.pid for h in await scene.seen.holders() if h.held and h.pid in scene.workers.alive]
        await asyncio.sleep(0 if busy else 0.02)  # sleep: until somebody is at work
    return busy


async def _stop(scene: Scene, toll: Toll) -> tuple[float, float]:
    """Stop the server and start it; seconds until it answered, and until work asked for after the stop was done."""
    subject = f"probe{len(toll.back_s)}"
    for effect in EFFECTS["chaos"]:
        toll.wanted.setdefault(effect, set()).add(subject)
    began = time.monotonic()
    await scene.ground.stop_at_once()
    await scene.ground.start_again()
    up = time.monotonic() - began
    await _start(scene.steward, "chaos", subject)
    toll.started += 1
    while subject not in (await scene.witness.says()).effects.get("charge", {}):
        if time.monotonic() - began > _GIVE_UP:
            break
        await asyncio.sleep(0.05)  # sleep: until somebody works again
    return up, time.monotonic() - began


async def _count(scene: Scene, toll: Toll, deciders: Deciders) -> None:
    seen, statuses = scene.seen, await scene.seen.statuses()
    testimony = await scene.witness.at_last()
    lost, doubled = compare(toll.wanted, testimony.effects)
    toll.doubled = doubled
    verified = await scene.steward.verify()
    toll.chains_ok = verified.ok
    acked = await seen.ask("SELECT id FROM review WHERE status = 'decided'")
    toll.acked_lost = max(0, toll.started - sum(statuses.values())) + len(deciders.acked - {row[0] for row in acked})
    toll.counts = {
        "runs": sum(statuses.values()),
        "kills": scene.workers.kills,
        "lost": len(lost),
        "duplicated": sum(doubled.values()),
        "stuck": sum(number for status, number in statuses.items() if status != "done"),
        "stale_writes": await seen.stale_writes(),
    }
    kinds = await seen.kinds()
    toll.facts |= {
        "effects": testimony.total,
        "requests": sum(testimony.asked.values()),
        "lies": testimony.lies,
        "statuses": statuses,
        "retaken": await seen.retaken(),
        "workers_died_by_themselves": scene.workers.died,
        "people_asked_about_outcomes": deciders.outcomes,
        "lookups": kinds.get("step.reconciled", 0),
        "failed_attempts": kinds.get("step.attempted", 0),
        "defects_logged": scene.workers.defects(),
        "entries": verified.entries,
        "parked_because": await seen.parked(),
        "lost_examples": lost[:5],
        "duplicated_examples": dict(list(doubled.items())[:5]),
    }


def compare(
    wanted: Mapping[str, Iterable[str]], effects: Mapping[str, Mapping[str, int]]
) -> tuple[list[str], dict[str, int]]:
    """What was asked for and never happened, and what happened more often than once, by how often too often."""
    lost = [
        f"{effect} {subject}"
        for effect, subjects in wanted.items()
        for subject in subjects
        if not effects.get(effect, {}).get(subject)
    ]
    doubled = {
        f"{effect} {subject}": times - 1 for effect, of in effects.items() for subject, times in of.items() if times > 1
    }
    return lost, doubled
