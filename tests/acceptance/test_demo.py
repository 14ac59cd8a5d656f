"""The demo, with nobody at the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.terminal import Steward


@pytest.mark.slow  # a real time-out of ten seconds and a lagging search are part of the story
def test_the_demo_answers_for_itself_and_holds(tmp_path: Path) -> None:
    """Nine systems with the right record exactly once, a retry, a reconcile, a verified journal: status 0, twice."""
    steward = Steward({"STEWARD_STATE": str(tmp_path / "state")}, tmp_path)
    for _ in range(2):
        said = steward("demo")
        assert said.status == 0, said
        assert "nobody is at the terminal" in " ".join(said.out.split())
        for proof in ("✓ a retry: ", "✓ a reconcile: ", "✓ a chain that holds: ", "✓ All of it holds"):
            assert proof in said.out
        assert "docs/index.md" in said.out
