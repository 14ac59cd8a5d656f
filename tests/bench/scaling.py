"""Two workers against one, on the cores that this machine has."""

from __future__ import annotations

import os

from tests.bench.figures import Plan, Section, columns, median, spread, table
from tests.bench.plots import strips
from tests.bench.rounds import steward_round
from tests.bench.server import Server

DATABASE = "scaling_steward"


async def measure(server: Server, plan: Plan) -> Section:
    """Rounds with one worker and with two, in turn."""
    runs, rounds = plan.size(256, 32), plan.size(3, 1)
    await server.make(DATABASE)
    section = Section("scaling", "Two workers against one")
    for number in range(rounds):
        for workers in (1, 2):
            found = await steward_round(server, DATABASE, runs, workers=workers)
            section.rounds.append({"round": number, "workers": workers, **found})
    one, two = ([each for each in section.rounds if each["workers"] == workers] for workers in (1, 2))
    ratios = [b / a for a, b in zip(columns(one, "runs_per_s"), columns(two, "runs_per_s"), strict=True)]
    section.figures["two_workers_ratio"] = median(ratios)
    busy = [each["runs_per_s"] * each["cpu_ms_per_run"] / 1000 for each in one]
    rows = [
        (name, spread(columns(found, "runs_per_s")), spread(columns(found, "cpu_ms_per_run")))
        for name, found in (("one", one), ("two", two))
    ]
    section.lines += table(("workers", f"runs/s, {runs} at once", "CPU ms/run"), rows)
    section.lines += [
        f"Ratio within a round: {spread(ratios)}.",
        f"With one worker, worker, PostgreSQL and driver together kept {spread(busy)} of {os.cpu_count()} cores busy.",
        "",
    ]
    paces = {"one worker": columns(one, "runs_per_s"), "two workers": columns(two, "runs_per_s")}
    section.plots["scaling"] = strips("Throughput by workers", "runs/s", paces)
    return section
