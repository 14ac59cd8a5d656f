"""The proof by adversaries: ``python -m tests.adversary [--cases N] [--seed N] [--out FOLDER]``.

Writes ``security.json`` and ``security.md`` to ``reports``. Ends with 1 when anything did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from tests.adversary.play import play
from tests.adversary.report import figures, write

CASES, SEED = 10_000, 1843


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.adversary", description=__doc__)
    parser.add_argument("--cases", type=int, default=CASES, help="generated cases")
    parser.add_argument("--seed", type=int, default=SEED, help="where all chance comes from")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "reports", help="where to write")
    asked = parser.parse_args()
    tally = asyncio.run(play(asked.cases, asked.seed))
    write(tally, asked.seed, asked.out)
    found = {name: len(sentences) for name, sentences in vars(tally.broken).items()}
    sys.stdout.write(", ".join(f"{name} {value}" for name, value in figures(tally, asked.seed).items()) + "\n")
    sys.exit(1 if any(found.values()) else 0)


if __name__ == "__main__":
    main()
