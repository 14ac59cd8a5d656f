"""Waiting runs: what each costs in database and memory, and how soon 1,000 verdicts at once are taken up."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack

from tests.bench import machine
from tests.bench.copies import multiply, sizes
from tests.bench.driver import Driver, driving
from tests.bench.figures import Plan, Section, quantile, table
from tests.bench.plots import curves, stack
from tests.bench.server import Server
from tests.bench.sides import application, worker

DATABASE = "waiting_steward"
BUDGET_S = 120.0
"""How long runs are started really; copies make up the rest."""
_TAKEN_UP = b"""
SELECT extract(epoch FROM pg_xact_commit_timestamp(j.xmin)
                        - least(pg_xact_commit_timestamp(i.xmin), pg_xact_commit_timestamp(r.xmin)))::float8 AS seconds
FROM inbox i
JOIN journal j ON j.run_id = i.run_id AND j.cause = 'inbox:' || i.id
JOIN review r ON r.run_id = i.run_id AND r.status = 'decided'
WHERE i.run_id = ANY (%s::uuid[])"""


async def measure(server: Server, plan: Plan) -> Section:
    """Start runs until enough wait, look at sizes and memory, then approve very many at once."""
    wanted, approved = plan.size(10_000, 500), plan.size(1_000, 100)
    await server.make(DATABASE)
    section = Section("waiting", f"{wanted:,} waiting runs, {approved:,} of them approved at once")
    async with AsyncExitStack() as stacked:
        steward = await stacked.enter_async_context(application(server, DATABASE))
        process = await stacked.enter_async_context(worker(server, DATABASE))
        driver = await stacked.enter_async_context(driving(steward, server, DATABASE))
        runs = await _park(server, driver, process.pid, section, plan)
        if len(runs) < wanted:
            await multiply(server, DATABASE, runs, wanted - len(runs))
        section.lines += _memory(section, process.pid, len(runs), wanted)
        await server.calm()
        await _approve(driver, runs[:approved], section)
        verified = await steward.verify(runs[0])
        if verified.broken:
            raise RuntimeError(f"chains are broken: {verified.broken[:3]}")
    return section


async def _park(server: Server, driver: Driver, pid: int, section: Section, plan: Plan) -> list[str]:
    """Runs that were really started, in batches, and wait."""
    batch, most = plan.size(250, 50), plan.size(10_000, 150)
    await driver.whole(batch)
    runs: list[str] = []
    until = time.monotonic() + BUDGET_S
    before = await sizes(server, DATABASE)
    while len(runs) < most and time.monotonic() < until:
        began = time.monotonic()
        fresh = await driver.start(batch)
        await driver.until_waiting(fresh)
        runs += fresh
        pace = round(batch / (time.monotonic() - began), 1)
        section.rounds.append({"waiting": len(runs), "worker_kib": machine.rss_kib(pid), "started_per_s": pace})
    after = await sizes(server, DATABASE)
    by_table = {name: round((after[name] - before[name]) / len(runs) / 1024, 2) for name in after}
    section.figures["waiting_kib_per_run"] = round(sum(by_table.values()), 2)
    section.rounds.append({"kib_per_run_by_table": by_table, "started": len(runs)})
    rows = [(name, kib) for name, kib in sorted(by_table.items(), key=lambda each: -each[1])]
    section.lines += table(
        ("table, with its indexes", "KiB per waiting run"), [*rows, ("all", section.figures["waiting_kib_per_run"])]
    )
    section.lines += ["Target: at most 24 KiB (goal 12). As the tables stood, without a vacuum before.", ""]
    section.plots["waiting_tables"] = stack("KiB of database per waiting run, by table", dict(rows))
    return runs


def _memory(section: Section, pid: int, started: int, wanted: int) -> list[str]:
    batches = [each for each in section.rounds if "worker_kib" in each]
    first, last, after = batches[0], batches[-1], machine.rss_kib(pid)
    grown = (last["worker_kib"] - first["worker_kib"]) / max(1, last["waiting"] - first["waiting"])
    section.figures["waiting_worker_kib_per_run"] = round(grown, 3)
    points = [(each["waiting"], each["worker_kib"] / 1024) for each in batches]
    section.plots["waiting_memory"] = curves(
        "The worker's memory as runs come to wait", ("waiting runs, really started", "MiB"), {"worker": points}
    )
    seen = [(each["waiting"], each["worker_kib"]) for each in (first, last)] + [(wanted, after)]
    return [
        f"{started:,} runs were really started and wait; {wanted - started:,} copies of them make up the rest.",
        f"The worker's own memory: {', '.join(f'{kib / 1024:.1f} MiB with {count:,}' for count, kib in seen)} waiting",
        f"({grown:.2f} KiB for each of those that it took there itself).",
        "",
    ]


async def _approve(driver: Driver, runs: list[str], section: Section) -> None:
    reviews = await driver.questions(runs)
    began = time.monotonic()
    await driver.decide(reviews)
    deciding = time.monotonic() - began
    await driver.until_ended(runs)
    ending = time.monotonic() - began
    found = [row["seconds"] * 1000 for row in await driver.look(_TAKEN_UP, (runs,))]
    if len(found) != len(runs):
        raise RuntimeError(f"{len(found)} of {len(runs)} verdicts were taken up")
    quantiles = {name: round(quantile(found, q), 1) for name, q in (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}
    section.figures.update({f"approve_{name}_ms": value for name, value in quantiles.items()})
    section.rounds.append({"approved": len(runs), "deciding_s": deciding, "until_all_ended_s": ending, **quantiles})
    section.lines += [
        f"{len(runs):,} verdicts given as fast as one application can ({deciding:.1f} s), all runs ended after {ending:.1f} s.",
        "",
    ]
    rows = [
        ("p50", quantiles["p50"], "under 300"),
        ("p95", quantiles["p95"], ""),
        ("p99", quantiles["p99"], "under 1,000"),
    ]
    section.lines += table(("from the verdict's commit to the run's next event", "ms", "target"), rows)
    ordered = sorted(found)
    points = [(value, 100 * (n + 1) / len(ordered)) for n, value in enumerate(ordered)]
    section.plots["approve"] = curves(
        "Verdicts taken up", ("ms after the verdict's commit", "% of runs"), {f"{len(runs):,} at once": points}
    )
