"""The proof by simulation: ``python -m tests.calibration [--runs N] [--seed N] [--out FOLDER]``.

Writes ``calibration.json``, ``calibration.md`` and ``calibration.svg`` to ``reports``. Ends with 1 when the corrected
confidence is not better than the base rate for certain.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.calibration.report import prove, write

RUNS, SEED = 1_500, 1843


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.calibration", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="runs, with up to four decisions each")
    parser.add_argument("--seed", type=int, default=SEED, help="where all chance comes from")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "reports", help="where to write")
    asked = parser.parse_args()
    proof = prove(asked.runs, asked.seed)
    path = write(proof, asked.out)
    low, high = proof.corrected.difference
    sys.stdout.write(
        f"{proof.corrected.n:,} decisions: Brier {proof.corrected.brier:.4f} against the base rate's "
        f"{proof.corrected.brier_base:.4f} ({low:+.4f} to {high:+.4f}), calibration error {proof.stated.ece:.4f} "
        f"before and {proof.corrected.ece:.4f} after; {path.name} in {path.parent.name}\n"
    )
    sys.exit(0 if proof.holds else 1)


if __name__ == "__main__":
    main()
