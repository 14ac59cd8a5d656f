"""Throughput, CPU and commits: 256 runs at once, interleaved with bare LangGraph stock and at its own best."""

from __future__ import annotations

from typing import Any

from tests.bench.figures import Plan, Section, columns, median, spread, table
from tests.bench.plots import strips
from tests.bench.rounds import bare_round, steward_round
from tests.bench.server import Server
from tests.bench.sides import PROFILE, application

OURS, THEIRS = "bench_steward", "bench_bare"
BEST_TRIES = (16, 32, 64, 256)


async def measure(server: Server, plan: Plan) -> Section:
    """Rounds of Steward, bare, bare at its best; ratios within each."""
    runs, rounds = plan.size(256, 64), plan.size(5, 1)
    await server.make(OURS)
    await server.make(THEIRS, migrated=False)
    idle = {
        OURS: (await steward_round(server, OURS, 0))["commits"],
        THEIRS: (await bare_round(server, THEIRS, 0))["commits"],
    }
    tries = (
        {}
        if plan.quick
        else {n: await bare_round(server, THEIRS, runs // 2, at_once=n, own_savers=True) for n in BEST_TRIES}
    )
    best = max(tries, key=lambda n: tries[n]["runs_per_s"]) if tries else 32
    found: list[dict[str, Any]] = []
    for number in range(rounds):
        ours = await steward_round(server, OURS, runs, profile=PROFILE if plan.profile else None)
        stock = await bare_round(server, THEIRS, runs)
        at_best = await bare_round(server, THEIRS, runs, side="bare, best", at_once=best, own_savers=True)
        for each, database in ((ours, OURS), (stock, THEIRS), (at_best, THEIRS)):
            each["commits_per_run"] = round((each.pop("commits") - idle[database]) / runs, 2)
            found.append({"round": number, **each})
    section = Section("throughput", f"{runs} runs at once", rounds=found)
    _compare(section, runs)
    async with application(server, OURS) as steward:
        verified = await steward.verify()
    if verified.broken:
        raise RuntimeError(f"chains are broken: {verified.broken[:3]}")
    section.lines.append(
        f"Every chain was verified afterwards: {verified.runs} runs, {verified.entries} entries, none broken."
    )
    tried = (
        ", ".join(f"{n} at once: {each['runs_per_s']:.1f}/s" for n, each in tries.items())
        or "not searched in the quick form"
    )
    section.lines.append(f"Bare at its best has a saver for each run and {best} runs at once ({tried}).")
    return section


def _compare(section: Section, runs: int) -> None:
    by_side = {side: [r for r in section.rounds if r["side"] == side] for side in ("steward", "bare", "bare, best")}
    pace = {side: columns(rounds, "runs_per_s") for side, rounds in by_side.items()}
    cpu = {side: columns(rounds, "cpu_ms_per_run") for side, rounds in by_side.items()}
    stock = [a / b for a, b in zip(pace["steward"], pace["bare"], strict=True)]
    at_best = [a / b for a, b in zip(pace["steward"], pace["bare, best"], strict=True)]
    burnt = [a / b for a, b in zip(cpu["steward"], cpu["bare"], strict=True)]
    section.figures.update(
        throughput_ratio=median(stock),
        throughput_ratio_best=median(at_best),
        cpu_ratio=median(burnt),
        cpu_ms_per_run=median(cpu["steward"]),
        commits_per_run=median(columns(by_side["steward"], "commits_per_run")),
    )
    section.plots["throughput"] = strips(f"Throughput, {runs} runs at once", "runs/s", pace)
    section.plots["cpu"] = strips(f"CPU per run, PostgreSQL and driver included, {runs} runs at once", "ms", cpu)
    head = ("side", "runs/s", "CPU ms/run", "of that PostgreSQL", "driver", "commits/run", "WAL KiB/run")
    keys = ("runs_per_s", "cpu_ms_per_run", "cpu_ms_postgres", "cpu_ms_driver", "commits_per_run", "wal_kib_per_run")
    rows = [(side, *(spread(columns(rounds, key)) for key in keys)) for side, rounds in by_side.items()]
    section.lines += table(head, rows)
    section.lines += table(
        ("ratio within a round", "median [least-most]", "target"),
        [
            ("throughput against stock", spread(stock), "at least 5 (goal 10)"),
            ("throughput against bare at its best", spread(at_best), "at least 3"),
            ("CPU against stock", spread(burnt, 3), "at most 0.25"),
        ],
    )
