"""Systems that are down: the run says which, parks, and goes on when they are back."""

from __future__ import annotations

import json
from pathlib import Path

from surfaces.cli.processes import free_block
from tests.acceptance.conftest import company
from tests.acceptance.terminal import ADA, KATHERINE, Steward


def test_a_run_parks_when_systems_are_down_and_resumes_when_they_are_back(state: Path, tmp_path: Path) -> None:
    """Nothing is lost: the same run goes on to its reviews."""
    port = free_block()
    ada = tmp_path / "ada.json"
    # Outside R&D one course is taken: with two, the breaker would leave training alone for half a minute.
    ada.write_text(json.dumps(ADA | {"department": "Finance"}), encoding="utf-8")
    steward = Steward({"STEWARD_STATE": str(state), "STEWARD_SANDBOX_PORT": str(port)}, tmp_path)
    parked = steward("run", "onboarding", "--request", str(ada), "--json", by=KATHERINE)
    assert parked.status == 1, parked
    assert parked.json["row"]["status"] == "parked"
    assert "cannot be reached" in parked.json["parked_because"]
    run = parked.json["row"]["id"]
    with company(port, tmp_path / "acme"):
        resumed = steward("resume", run, "--reason", "Acme is back", by=KATHERINE)
        assert resumed.status == 0, resumed
        assert "waits for Mary Jackson" in resumed.out
