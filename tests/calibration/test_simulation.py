"""Experience corrects confidence: on more than 2,000 simulated decisions, for certain."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.calibration.report import Proof, figures, prove, write


@pytest.fixture(scope="module")
def proof() -> Proof:
    """Seeded, and smaller than the committed one."""
    return prove(runs=750, seed=7)


def test_the_corrected_confidence_beats_the_base_rate_for_certain(proof: Proof) -> None:
    """The interval excludes 0, overall and for each kind; the calibration error is less than half of what was stated."""
    assert proof.corrected.n >= 2000
    assert proof.corrected.difference[1] < 0
    assert all(corrected.difference[1] < 0 for _, corrected in proof.kinds.values())
    assert proof.corrected.brier < proof.stated.brier
    assert proof.corrected.ece < proof.stated.ece / 2


def test_the_same_seed_gives_the_same_figures_and_another_one_others() -> None:
    """Chance comes from the seed alone."""
    assert figures(prove(60, 1)) == figures(prove(60, 1))
    assert figures(prove(60, 1)) != figures(prove(60, 2))


def test_the_report_has_what_readers_look_for(proof: Proof, tmp_path: Path) -> None:
    """Figures by name, words with a verdict, and a picture that is one."""
    words = write(proof, tmp_path).read_text(encoding="utf-8")
    found = json.loads((tmp_path / "calibration.json").read_text(encoding="utf-8"))
    names = {"brier", "brier_base", "brier_difference_interval", "ece_before", "ece_after", "n"}
    assert names <= set(found)
    assert "better than the base rate for certain" in words
    picture = ET.parse(tmp_path / "calibration.svg").getroot()
    assert len(picture.findall("{*}g")) == 2 + 2 * len(proof.kinds)
