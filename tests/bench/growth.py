"""Cost per run as finished runs pile up in the database."""

from __future__ import annotations

import time

from tests.bench.copies import multiply, sizes
from tests.bench.driver import driving
from tests.bench.figures import Plan, Section, columns, median, spread, table
from tests.bench.plots import strips
from tests.bench.rounds import steward_round
from tests.bench.server import Server
from tests.bench.sides import application, worker

DATABASE = "growth_steward"
SEEDS = 100


async def measure(server: Server, plan: Plan) -> Section:
    """The same round with 100, 10,000 and 100,000 finished runs beside it."""
    levels = (SEEDS, 1_000) if plan.quick else (SEEDS, 10_000, 100_000)
    runs, rounds = plan.size(128, 32), plan.size(3, 1)
    await server.make(DATABASE)
    section = Section("growth", "Cost per run as finished runs pile up")
    async with (
        application(server, DATABASE) as steward,
        worker(server, DATABASE),
        driving(steward, server, DATABASE) as driver,
    ):
        seeds = await driver.whole(SEEDS)
    there = SEEDS
    for level in levels:
        began = time.monotonic()
        await multiply(server, DATABASE, seeds, level - there)
        there, took = level, time.monotonic() - began
        size = sum((await sizes(server, DATABASE)).values())
        for number in range(rounds):
            found = await steward_round(server, DATABASE, runs)
            section.rounds.append(
                {"finished": level, "round": number, "copying_s": took, "database_mib": size >> 20, **found}
            )
    _compare(section, levels, runs)
    await server.drop(DATABASE)
    return section


def _compare(section: Section, levels: tuple[int, ...], runs: int) -> None:
    at = {level: [each for each in section.rounds if each["finished"] == level] for level in levels}
    cost = {level: columns(found, "cpu_ms_per_run") for level, found in at.items()}
    first, last = levels[0], levels[-1]
    section.figures["growth_cpu_ratio"] = round(median(cost[last]) / median(cost[first]), 3)
    rows = [
        (f"{level:,}", f"{found[0]['database_mib']:,}", spread(cost[level]), spread(columns(found, "runs_per_s")))
        for level, found in at.items()
    ]
    section.lines += table(("finished runs", "database, MiB", "CPU ms/run", f"runs/s, {runs} at once"), rows)
    section.lines += [
        f"The finished runs are {SEEDS} real ones and copies of them, checkpoints included.",
        f"Ratio of the CPU per run, {last:,} against {first:,}: {section.figures['growth_cpu_ratio']:.2f}.",
        "",
    ]
    section.plots["growth"] = strips(
        "CPU per run, by finished runs in the database", "ms", {f"{n:,}": v for n, v in cost.items()}
    )
