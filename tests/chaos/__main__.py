"""The chaos battery: ``python -m tests.chaos [--full] [--seed N] [--only B1,B7]``.

The short form takes some minutes and writes to ``reports/local``; the full form writes ``reports/chaos.md`` and
``reports/chaos.json``. Ends with 1 when a target was missed.
"""

from __future__ import annotations

import runtime.import_guard  # noqa: F401 - first: it makes checkpoints strict

import argparse
import asyncio
import logging
import sys
import time
from datetime import UTC, datetime

from rich.console import Console

from tests.chaos.battery import EXPERIMENTS, TOGETHER, experience
from tests.chaos.ground import Ground, ground
from tests.chaos.report import Battery, write
from tests.chaos.results import Result
from tests.chaos.workers import ROOT

_SEED = 1843


def main() -> None:
    """The command."""
    asked = _asked()
    # The battery takes connections away on purpose; the pool need not say so each time.
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)
    console = Console(width=120 if not sys.stdout.isatty() else None)
    battery = asyncio.run(_run(asked.seed, asked.only, console, full=asked.full))
    whole = asked.full and asked.only == list(EXPERIMENTS)
    path = write(battery, ROOT / "reports" if whole else ROOT / "reports" / "local")
    missed = [f"{r.key} {m.what}: {m.measured}" for r in battery.results for m in r.measures if not m.ok]
    for line in missed:
        console.print(f"[red]missed[/red] {line}", highlight=False)
    totals = ", ".join(
        f"{battery.total(n)} {n.replace('_', ' ')}" for n in ("lost", "duplicated", "stuck", "stale_writes")
    )
    console.print(f"{battery.total('runs'):,} runs, {battery.total('kills'):,} kills, seed {asked.seed}: {totals}")
    verdict = "every target met" if battery.ok else f"{len(missed)} targets missed"
    console.print(f"chaos: {verdict} in {battery.seconds:.0f} s; {path.relative_to(ROOT)}")
    sys.exit(0 if battery.ok else 1)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--full", action="store_true", help="10,000 runs, 1,000 kills, 50 stops: about half an hour")
    parser.add_argument("--seed", type=int, default=_SEED, help="where all chance comes from")
    parser.add_argument("--only", default=",".join(EXPERIMENTS), help=f"some of {','.join(EXPERIMENTS)}")
    parser.add_argument("--mutate", action="store_true", help="only the check that a missing guard is noticed (M)")
    asked = parser.parse_args()
    asked.only = ["M"] if asked.mutate else [name for name in EXPERIMENTS if name in asked.only.split(",")]
    if not asked.only:
        parser.error(f"there are {', '.join(EXPERIMENTS)}")
    return asked


async def _run(seed: int, names: list[str], console: Console, *, full: bool) -> Battery:
    began, from_then = datetime.now(tz=UTC), time.monotonic()
    results: list[Result] = []
    async with ground(seed, full=full) as found:
        server = await found.settings()
        console.print(f"seed {seed}, PostgreSQL {', '.join(f'{n} {v}' for n, v in server.items())}", highlight=False)
        for group in TOGETHER:
            chosen = [name for name in group if name in names]
            with console.status(f"{', '.join(chosen)} ({len(results)} of {len(names)} done)"):
                results += await asyncio.gather(*(_experience(name, found, console) for name in chosen))
    results.sort(
        key=lambda result: (not result.key.startswith("B"), int("".join(filter(str.isdigit, result.key)) or 0))
    )
    return Battery(seed, full, began, time.monotonic() - from_then, server, results)


async def _experience(name: str, found: Ground, console: Console) -> Result:
    result = await experience(name, found)
    mark = "[green]met   [/green]" if result.ok else "[red]missed[/red]"
    counts = ", ".join(f"{v:,} {n.replace('_', ' ')}" for n, v in result.counts.items() if v)
    title = f"{name:4} {EXPERIMENTS[name].__name__:12}"
    console.print(f"{mark} {title} {result.seconds:6.1f} s  {counts}", highlight=False)
    return result


if __name__ == "__main__":
    main()
