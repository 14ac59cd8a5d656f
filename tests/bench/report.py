"""The report: Markdown to read, JSON to compare, plots to look at."""

from __future__ import annotations

import json
import pstats
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.bench import machine
from tests.bench.figures import Plan, Section, table
from tests.bench.server import Server
from tests.bench.sides import ROOT
from tests.bench.work import SEED

TARGETS: Mapping[str, tuple[str, float, bool]] = {
    # figure: what it is, target, and whether more is better
    "throughput_ratio": ("throughput against bare LangGraph, stock", 5, True),
    "throughput_ratio_best": ("throughput against bare LangGraph at its best", 3, True),
    "cpu_ratio": ("CPU against bare LangGraph, PostgreSQL included", 0.25, False),
    "commits_per_run": ("commits per run, all told", 7, False),
    "latency_ratio": ("latency of one run against bare LangGraph", 0.6, False),
    "makespan_ratio": ("makespan over the critical path", 1.05, False),
    "waiting_kib_per_run": ("KiB of database per waiting run", 24, False),
    "approve_p50_ms": ("verdict to next event, p50, ms", 300, False),
    "approve_p99_ms": ("verdict to next event, p99, ms", 1000, False),
    "growth_cpu_ratio": ("CPU per run, most finished runs against fewest", 1.1, False),
}


def write(folder: Path, plan: Plan, server: Server, loads: tuple[float, float], sections: Sequence[Section]) -> Path:
    """Write bench.md, bench.json and the plots; the Markdown's path."""
    plots = folder / "plots"
    plots.mkdir(parents=True, exist_ok=True)
    figures = {name: value for section in sections for name, value in section.figures.items()}
    about = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "seed": str(SEED), **machine.description()}
    found: dict[str, Any] = {
        **figures,
        "form": "quick" if plan.quick else "full",
        "about": about,
        "postgres": server.settings,
        "load": {"before": loads[0], "after": loads[1]},
        "rounds": {section.name: section.rounds for section in sections},
    }
    (folder / "bench.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    lines = _head(found, figures)
    for section in sections:
        lines += [f"## {section.title}", "", *section.lines]
        for name, picture in section.plots.items():
            (plots / f"{name}.svg").write_text(picture, encoding="utf-8")
            lines += [f"![{name}](plots/{name}.svg)", ""]
        lines += _loads(section)
    path = folder / "bench.md"
    path.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    return path


def _head(found: Mapping[str, Any], figures: Mapping[str, float]) -> list[str]:
    durable = ", ".join(
        f"{name} {found['postgres'][name]}" for name in ("fsync", "synchronous_commit", "full_page_writes")
    )
    lines = [
        f"# The bench ({found['form']} form)",
        "",
        "Made by `make bench`: Steward and bare LangGraph at the same work, in one session, on one PostgreSQL server;",
        "ratios are within a round, figures are medians. docs/explanation/the-bench.md says what is compared and how.",
        "",
        f"PostgreSQL: {durable}; version {found['postgres']['server_version']}.",
        f"Load average of the machine: {found['load']['before']} before, {found['load']['after']} after.",
        "",
    ]
    rows = []
    for name, (words, target, more) in TARGETS.items():
        if name in figures:
            met = figures[name] >= target if more else figures[name] <= target
            rows.append(
                (words, figures[name], f"{'at least' if more else 'at most'} {target:g}", "yes" if met else "**no**")
            )
    lines += table(("figure", "measured", "target", "met"), rows)
    return [*lines, *table(("what", ""), list(found["about"].items()))]


def _loads(section: Section) -> list[str]:
    loads = [(each["load_before"], each["load_after"]) for each in section.rounds if "load_before" in each]
    if not loads:
        return []
    told = ", ".join(f"{before:g}>{after:g}" for before, after in loads)
    return [f"Load average before and after each round: {told}.", ""]


def profile_text(path: Path, top: int = 40) -> str:
    """A worker's profile: time by place, then the functions that took most by themselves."""
    stats = pstats.Stats(str(path))
    by_place: Counter[str] = Counter()
    rows = []
    entries: dict[tuple[str, int, str], tuple[int, int, float, float, Any]] = stats.stats  # type: ignore[attr-defined]
    for (file, line, name), (_, calls, own, within, _callers) in entries.items():
        by_place[_place(file, name)] += own  # type: ignore[assignment]  # Counter adds floats as well
        rows.append((own, within, calls, f"{_short(file)}:{line} {name}"))
    whole = sum(by_place.values())
    lines = [f"{whole:.2f} s in all, by place:"]
    lines += [
        f"{seconds:8.3f} s  {100 * seconds / whole:5.1f}%  {place}" for place, seconds in by_place.most_common(20)
    ]
    lines += ["", "     own  with its calls    calls"]
    lines += [
        f"{own:8.3f}  {within:14.3f} {calls:8}  {name}" for own, within, calls, name in sorted(rows, reverse=True)[:top]
    ]
    return "\n".join(lines) + "\n"


def _short(file: str) -> str:
    return file.partition("site-packages/")[2] or file.removeprefix(f"{ROOT}/")


def _place(file: str, name: str) -> str:
    if "epoll" in name:
        return "(idle: epoll)"
    if "site-packages/" in file:
        return file.partition("site-packages/")[2].partition("/")[0]
    if file.startswith(str(ROOT)):
        return f"steward: {file.removeprefix(f'{ROOT}/').partition('/')[0]}"
    return "python: " + (Path(file).parent.name if file.startswith("/") else "built in")
