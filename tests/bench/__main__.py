"""The bench: ``python -m tests.bench [--quick] [--only throughput,latency] [--profile]``.

A full one of everything is written to ``reports/``, any other to ``reports/local/``, which is not kept.
"""

from __future__ import annotations

import runtime.import_guard  # noqa: F401 - first: it makes checkpoints strict

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable

from tests.bench import growth, latency, machine, makespan, scaling, throughput, waiting
from tests.bench.figures import Plan, Section
from tests.bench.report import profile_text, write
from tests.bench.server import Server, running
from tests.bench.sides import LOCAL, PROFILE, ROOT

Measure = Callable[[Server, Plan], Awaitable[Section]]
MEASURES: dict[str, Measure] = {
    "throughput": throughput.measure,
    "latency": latency.measure,
    "makespan": makespan.measure,
    "waiting": waiting.measure,
    "scaling": scaling.measure,
    "growth": growth.measure,
}


async def bench(plan: Plan, names: list[str]) -> None:
    """Measure, one after the other, on one server, and write the report."""
    began, before = time.monotonic(), machine.load()
    whole = not plan.quick and set(names) == set(MEASURES)
    sections: list[Section] = []
    async with running() as server:
        print(", ".join(f"{name} {value}" for name, value in server.settings.items()), flush=True)
        for name in names:
            started = time.monotonic()
            section = await MEASURES[name](server, plan)
            sections.append(section)
            print(f"\n## {section.title} ({time.monotonic() - started:.0f} s)\n", *section.lines, sep="\n", flush=True)
        path = write(ROOT / "reports" if whole else LOCAL, plan, server, (before, machine.load()), sections)
    print(f"written to {path.relative_to(ROOT)} after {time.monotonic() - began:.0f} s")
    if plan.profile and PROFILE.exists():
        text = PROFILE.with_suffix(".txt")
        text.write_text(profile_text(PROFILE), encoding="utf-8")
        print(f"the worker's profile is in {text.relative_to(ROOT)}")


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure Steward beside bare LangGraph.")
    parser.add_argument("--quick", action="store_true", help="in under 2 minutes, with few rounds: for a first look")
    parser.add_argument("--only", default=",".join(MEASURES), help=f"some of {', '.join(MEASURES)}")
    parser.add_argument("--profile", action="store_true", help="profile the worker of the throughput rounds (slows it)")
    given = parser.parse_args()
    names = given.only.split(",")
    if unknown := set(names) - set(MEASURES):
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    asyncio.run(bench(Plan(quick=given.quick, profile=given.profile), names))


if __name__ == "__main__":
    main()
