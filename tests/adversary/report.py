"""What the cases came to, as figures and words."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import Any

from tests.adversary.owasp import ROWS
from tests.adversary.play import Tally


def figures(tally: Tally, seed: int) -> dict[str, Any]:
    """Seed, version and counts."""
    broken = {name: len(sentences) for name, sentences in vars(tally.broken).items()}
    return {"seed": seed, "python": platform.python_version(), "cases": tally.cases, **tally.counts, **broken}


def write(tally: Tally, seed: int, folder: Path) -> None:
    """``security.json`` and ``security.md``."""
    found = figures(tally, seed)
    rows = [row._asdict() for row in ROWS]
    whole = {**found, "owasp": rows, "broken": vars(tally.broken)}
    (folder / "security.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
    lines = [
        "# Adversaries",
        "",
        "A planner and a reader that return anything of their declared type. What the words mean:",
    ]
    lines += ["[security](../docs/explanation/security.md#adversaries).", "", "| figure | value |", "| --- | --- |"]
    lines += [f"| {name.replace('_', ' ')} | {value} |" for name, value in found.items()]
    lines += [
        "",
        "## OWASP",
        "",
        "| id | risk | what answers it | shown by | not promised |",
        "| --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {' | '.join(row)} |" for row in ROWS]
    (folder / "security.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
