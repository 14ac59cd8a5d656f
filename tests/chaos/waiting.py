"""B14: very many runs wait, with as many timers. What waits costs nothing: no CPU, no slow claim, no late timer.

The crowd is made from one real waiting run by ``generate_series``: its row, its journal, its question.
Most timers are far away; some of them fall due while the clock runs, and wake their runs for a real worker.
"""

from __future__ import annotations

import asyncio
import os
import time
from datetime import timedelta
from pathlib import Path

import psycopg

from governance.events import RunStatus
from governance.runs import Rest
from memory.database import open_database
from memory.liveness import open_liveness
from memory.runs import Runs
from tests.chaos.ground import Ground, Scene, a_scene
from tests.chaos.patience import until
from tests.chaos.people import asker
from tests.chaos.results import Result, below, percentile, some, zero

_TICKS = os.sysconf("SC_CLK_TCK")
_LEASE = timedelta(seconds=60)
_COPY_RUNS = """
CREATE TABLE chaos_crowd AS SELECT gen_random_uuid() AS id, n FROM generate_series(1, %(many)s) AS n;
CREATE UNIQUE INDEX ON chaos_crowd (id);
INSERT INTO run SELECT (jsonb_populate_record(r, jsonb_build_object('id', c.id, 'dedupe', NULL))).*
FROM run r CROSS JOIN chaos_crowd c WHERE r.id = %(run)s;
INSERT INTO journal SELECT (jsonb_populate_record(j, jsonb_build_object('run_id', c.id))).*
FROM journal j CROSS JOIN chaos_crowd c WHERE j.run_id = %(run)s;
INSERT INTO review SELECT (jsonb_populate_record(r, jsonb_build_object('run_id', c.id, 'id', 'rv-' || c.n))).*
FROM review r CROSS JOIN chaos_crowd c WHERE r.run_id = %(run)s;
INSERT INTO timer (run_id, timer_id, due_at)
SELECT id, 'chaos', now() + interval '30 days' + n * interval '1 second' FROM chaos_crowd;
"""
_FAST_COPY = "SET session_replication_role = replica"
_FALL_DUE = """
UPDATE timer SET due_at = now() + interval '1 second' + c.n * make_interval(secs => %(apart)s)
FROM (SELECT id, row_number() OVER () AS n FROM chaos_crowd ORDER BY n LIMIT %(number)s) AS c
WHERE timer.run_id = c.id AND timer.timer_id = 'chaos'
"""


async def waiting(ground: Ground) -> Result:
    """B14."""
    many, idle, samples, due = (
        ground.size(5000, 100_000),
        ground.size(8, 60),
        ground.size(60, 300),
        ground.size(100, 1000),
    )
    result = Result("B14", "Waiting", f"{many:,} waiting runs and {many:,} timers")
    async with a_scene(ground, "waiting") as scene:
        size = await _crowd(scene, many)
        await scene.workers.keep(1)
        await asyncio.sleep(3)  # sleep: the worker has started and found nothing
        cpu = await _cpu(scene, idle)
        late = await _timers(scene, due, apart=0.05)
        await _none(scene)
        claims = await _claims(scene, samples)
        unfinished = await scene.seen.unfinished()
        stale = await scene.seen.stale_writes()
    p99 = percentile(claims, 0.99) * 1000
    result.measures = [
        below("CPU of a worker and PostgreSQL while nothing is due, of one core", 5, cpu * 100, "%"),
        below("a claim beside them, p99", 100, p99, "ms"),
        below("lateness of timers, p99", 2, percentile(late, 0.99)),
        some("timers that fired", len(late), due),
        zero("runs that got lost", many + 1 - unfinished),
        zero("stale writes", stale),
    ]
    result.counts = {"waiting_runs": many, "stale_writes": stale}
    result.facts = {
        "claim_p50_ms": round(percentile(claims, 0.5) * 1000, 2),
        "claim_p99_ms": round(p99, 2),
        "timer_p50_s": round(percentile(late, 0.5), 3),
        "timer_p99_s": round(percentile(late, 0.99), 3),
        "idle_cpu_percent": round(cpu * 100, 2),
        "database_mib": size >> 20,
    }
    return result


async def _crowd(scene: Scene, many: int) -> int:
    """Make the crowd from one real run that waits for a person; the size of the database then."""
    run = await scene.steward.start("chaos-decided", {"subject": "one of many"}, by=asker(scene.steward))

    async def waits() -> bool:
        return (await scene.steward.show(run.id)).row.status is RunStatus.WAITING

    async with scene.steward.working():
        await until(waits)
    async with await psycopg.AsyncConnection.connect(scene.urls.owner_url, autocommit=True) as owner:
        await owner.execute(_FAST_COPY)  # without foreign keys and the battery's own triggers
        for statement in _COPY_RUNS.split(";\n"):
            if statement.strip():
                given = {"many": many, "run": run.id}
                await psycopg.AsyncClientCursor(owner).execute(statement, given)
        await owner.execute("VACUUM ANALYZE")
        row = await (await owner.execute("SELECT pg_database_size(current_database())")).fetchone()
    return int(row[0]) if row else 0


async def _cpu(scene: Scene, seconds: int) -> float:
    """The part of one core that the worker and its server sessions use while nothing is due."""
    watched = [*scene.workers.alive, *_family(await scene.ground.postmaster())]
    before, began = sum(map(_ticks, watched)), time.monotonic()
    await asyncio.sleep(seconds)  # sleep: nothing is due, and that is what is measured
    return (sum(map(_ticks, watched)) - before) / _TICKS / (time.monotonic() - began)


def _family(postmaster: int) -> list[int]:
    """The server and its children."""
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text(encoding="ascii").split()
    return [postmaster, *map(int, children)]


def _ticks(pid: int) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except FileNotFoundError:
        return 0
    return int(fields[11]) + int(fields[12])


async def _timers(scene: Scene, number: int, *, apart: float) -> list[float]:
    """Let so many fall due, one after the other; how late each fired, in seconds."""
    async with await psycopg.AsyncConnection.connect(scene.urls.owner_url, autocommit=True) as owner:
        await owner.execute(_FALL_DUE, {"number": number, "apart": apart})

    async def fired() -> bool:
        return int((await scene.seen.ask("SELECT count(*) FROM chaos_timer"))[0][0]) >= number

    await until(fired, seconds=30 + number * apart, every=0.5)
    return [float(row[0]) for row in await scene.seen.ask("SELECT extract(epoch FROM late)::float8 FROM chaos_timer")]


async def _none(scene: Scene) -> None:
    """Until the woken runs wait again; then there is no worker any more."""

    async def none() -> bool:
        query = "SELECT count(*) FROM run WHERE owner IS NOT NULL OR wake_at <= now()"
        return not (await scene.seen.ask(query))[0][0]

    await until(none, seconds=120, every=0.2)
    for pid in list(scene.workers.alive):
        scene.workers.kill(pid)


async def _claims(scene: Scene, samples: int) -> list[float]:
    """How long a claim takes when one of the crowd is due, in seconds."""
    found = []
    async with open_database(scene.urls.app_url) as database, open_liveness(scene.urls.app_url, _LEASE) as me:
        runs = Runs(database)
        for (run_id,) in await scene.seen.ask("SELECT id::text FROM chaos_crowd ORDER BY n DESC LIMIT %s", samples):
            await runs.wake(run_id)
            began = time.monotonic()
            claims = await runs.claim(me.worker_id, 16, _LEASE)
            found.append(time.monotonic() - began)
            for claim in claims:
                await runs.finish(claim, Rest(status=RunStatus.WAITING, waiting_for="a review of charge"))
    return found
