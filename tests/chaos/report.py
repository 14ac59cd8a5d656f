"""What the battery found, as a page for people and as numbers for programs."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.chaos.results import Result

_SUMS = ("runs", "kills", "stops", "suspensions", "lost", "duplicated", "stuck", "stale_writes")
_VERSIONS = ("langgraph", "langgraph-checkpoint-postgres", "psycopg", "hypothesis")


@dataclass(frozen=True)
class Battery:
    """One run of the battery. ``server`` are PostgreSQL's version and durability settings."""

    seed: int
    full: bool
    began: datetime
    seconds: float
    server: Mapping[str, str]
    results: Sequence[Result]

    @property
    def ok(self) -> bool:
        """Every target of every experiment was met."""
        return bool(self.results) and all(result.ok for result in self.results)

    def total(self, what: str) -> int:
        """Added up over all experiments."""
        return sum(result.counts.get(what, 0) for result in self.results)

    def fact(self, what: str) -> Any:
        """A fact that one experiment knows; None without it."""
        return next((result.facts[what] for result in self.results if what in result.facts), None)


def numbers(battery: Battery) -> dict[str, Any]:
    """The JSON: sums on top, one object for each experiment below."""
    return {
        "ok": battery.ok,
        "form": "full" if battery.full else "short",
        "seed": battery.seed,
        "began": battery.began.astimezone(UTC).isoformat(timespec="seconds"),
        "seconds": round(battery.seconds, 1),
        **{name: battery.total(name) for name in _SUMS},
        "retake_p50_s": battery.fact("retake_p50_s"),
        "retake_p99_s": battery.fact("retake_p99_s"),
        "postgresql": dict(battery.server),
        "versions": _versions(),
        "experiments": {result.key: {**asdict(result), "ok": result.ok} for result in battery.results},
    }


def page(battery: Battery) -> str:
    """The Markdown."""
    return "\n".join([*_head(battery), *_table(battery), *_each(battery)]) + "\n"


def write(battery: Battery, folder: Path) -> Path:
    """Both, as ``chaos.md`` and ``chaos.json``; where the page is."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chaos.json").write_text(json.dumps(numbers(battery), indent=2, default=str) + "\n", encoding="utf-8")
    target = folder / "chaos.md"
    target.write_text(page(battery), encoding="utf-8")
    return target


def _versions() -> dict[str, str]:
    return {"python": sys.version.split()[0], **{name: version(name) for name in _VERSIONS}}


def _head(battery: Battery) -> Iterator[str]:
    totals = {name: battery.total(name) for name in _SUMS}
    server = ", ".join(f"{name} {value}" for name, value in battery.server.items())
    yield "# The chaos battery"
    yield ""
    yield f"{totals['runs']:,} runs, {totals['kills']:,} workers killed, {totals['stops']:,} immediate stops of PostgreSQL:"
    yield (
        f"**{totals['lost']} effects lost, {totals['duplicated']} duplicated, {totals['stuck']} runs stuck, "
        f"{totals['stale_writes']} stale writes.** Every target met: {'yes' if battery.ok else '**no**'}."
    )
    yield ""
    yield "Effects are counted by a process of its own, the witness, which is never killed and lies by its seed."
    yield "Repeat it with:"
    yield ""
    yield "```sh"
    yield f'make chaos ARGS="{"--full " if battery.full else ""}--seed {battery.seed}"'
    yield "```"
    yield ""
    yield f"- form: {'full' if battery.full else 'short'}; seed {battery.seed}; {battery.seconds / 60:.1f} minutes"
    yield f"- begun {battery.began.astimezone(UTC):%Y-%m-%d %H:%M} UTC on {platform.system()}, {platform.machine()}"
    yield f"- PostgreSQL: {server}"
    yield f"- {', '.join(f'{name} {number}' for name, number in _versions().items())}"
    yield ""


def _table(battery: Battery) -> Iterator[str]:
    yield "| | experiment | what | target | measured | |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for result in battery.results:
        first = True
        for measure in result.measures:
            told = measure.measured.replace("|", "/").replace("\n", " ")
            name = (f"**{result.key}**", result.title) if first else ("", "")
            mark = "met" if measure.ok else "**missed**"
            yield f"| {name[0]} | {name[1]} | {measure.what} | {measure.target} | {told} | {mark} |"
            first = False
    yield ""


def _each(battery: Battery) -> Iterator[str]:
    for result in battery.results:
        yield f"## {result.key}: {result.title}"
        yield ""
        yield f"{result.says[:1].upper()}{result.says[1:]}. {result.seconds:g} s."
        yield ""
        for name, value in {**result.counts, **result.facts}.items():
            if value not in (None, {}, [], ""):
                yield f"- {name.replace('_', ' ')}: {_told(value)}"
        yield ""


def _told(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in value.items())
    if isinstance(value, list):
        return "; ".join(map(str, value))
    return f"{value:,}" if isinstance(value, int) else str(value)
