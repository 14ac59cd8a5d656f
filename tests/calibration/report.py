"""What the simulation shows, as figures, words and a picture."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from governance.calibration import Calibration, calibration
from surfaces.cli.reliability import reliability_svg
from tests.calibration.simulation import Judged, simulate


@dataclass(frozen=True)
class Proof:
    """Figures of all decisions, and of each kind, before and after the correction."""

    seed: int
    runs: int
    stated: Calibration
    corrected: Calibration
    kinds: dict[str, tuple[Calibration, Calibration]]

    @property
    def holds(self) -> bool:
        """The corrected score is better than the base rate's for certain, and the calibration error smaller."""
        return self.corrected.difference[1] < 0 and self.corrected.ece < self.stated.ece


def prove(runs: int, seed: int) -> Proof:
    """Simulate and measure."""
    judged = simulate(runs, seed)
    kinds = sorted({each.kind for each in judged})
    stated, corrected = _measured(judged, seed)
    return Proof(
        seed, runs, stated, corrected, {k.value: _measured([j for j in judged if j.kind is k], seed) for k in kinds}
    )


def _measured(judged: Sequence[Judged], seed: int) -> tuple[Calibration, Calibration]:
    found = [
        calibration(claims, Random(seed))
        for claims in ([each.stated for each in judged], [each.corrected for each in judged])
    ]
    stated, corrected = found
    if stated is None or corrected is None:
        raise ValueError("nothing was decided")
    return stated, corrected


def figures(proof: Proof) -> dict[str, object]:
    """The report as JSON."""
    return (
        {"seed": proof.seed, "runs": proof.runs}
        | _shape(proof.stated, proof.corrected)
        | {"kinds": {kind: _shape(*both) for kind, both in proof.kinds.items()}}
    )


def _shape(stated: Calibration, corrected: Calibration) -> dict[str, object]:
    return {
        "n": corrected.n,
        "right": corrected.right,
        "brier": round(corrected.brier, 5),
        "brier_stated": round(stated.brier, 5),
        "brier_base": round(corrected.brier_base, 5),
        "brier_difference_interval": [round(bound, 5) for bound in corrected.difference],
        "ece_before": round(stated.ece, 5),
        "ece_after": round(corrected.ece, 5),
    }


def write(proof: Proof, folder: Path) -> Path:
    """The three files. Returns the one to read."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "calibration.json").write_text(json.dumps(figures(proof), indent=2) + "\n", encoding="utf-8")
    panels = {"as stated": proof.stated, "corrected by experience": proof.corrected}
    for kind, (stated, corrected) in proof.kinds.items():
        panels |= {f"{kind}, as stated": stated, f"{kind}, corrected": corrected}
    title = f"How sure, and how many right: {proof.corrected.n:,} simulated decisions"
    (folder / "calibration.svg").write_text(reliability_svg(title, panels), encoding="utf-8")
    path = folder / "calibration.md"
    path.write_text(_words(proof), encoding="utf-8")
    return path


def _words(proof: Proof) -> str:
    rows = [_row("all", proof.stated, proof.corrected)]
    rows += [_row(kind, *both) for kind, both in proof.kinds.items()]
    low, high = proof.corrected.difference
    verdict = "better than the base rate for certain" if high < 0 else "NOT better than the base rate for certain"
    return "\n".join(
        [
            "# Calibration",
            "",
            (
                f"{proof.corrected.n:,} simulated decisions in {proof.runs:,} runs, seed {proof.seed}, by "
                "`python -m tests.calibration`. The runs are sealed journals, read and scored by the code that scores real ones."
            ),
            (
                "Each decision is corrected by what came of runs before it, never by itself; the first ones, without "
                "experience, stay as stated and count."
            ),
            "",
            (
                f"**Corrected Brier score minus the base rate's: {low:+.4f} to {high:+.4f} (95 %): {verdict}.** The base rate "
                "is that of these very decisions, which nobody could have known beforehand."
            ),
            "",
            "| decisions | n | right | Brier stated | Brier corrected | Brier base rate | corrected less base | error before | error after |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            *rows,
            "",
            "![Reliability diagrams](calibration.svg)",
            "",
            (
                "This shows that the arithmetic and the scoring do what they should on deciders that know something and "
                "overrate it. It says nothing about how good a real model is: `steward calibration` does, on real decisions."
            ),
            "",
        ]
    )


def _row(name: str, stated: Calibration, corrected: Calibration) -> str:
    low, high = corrected.difference
    return (
        f"| {name} | {corrected.n:,} | {corrected.base_rate:.1%} | {stated.brier:.4f} | {corrected.brier:.4f} | "
        f"{corrected.brier_base:.4f} | {low:+.4f} to {high:+.4f} | {stated.ece:.4f} | {corrected.ece:.4f} |"
    )
