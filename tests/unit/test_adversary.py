"""A planner and a reader that return anything of their declared type get nothing past the checker, the policy or people."""

from __future__ import annotations

from graphs.fold import RunFold
from graphs.replanning import stopped_in
from tests.adversary.owasp import ROWS
from tests.adversary.play import play


async def test_adversaries_gain_nothing() -> None:
    """Every call is of its plan and permitted, every sensitive value labelled or seen, every gate answered; and much was tried."""
    tally = await play(300, seed=7)
    assert {name: found for name, found in vars(tally.broken).items() if found} == {}
    assert tally.counts["plans_passed"] > 100
    assert tally.counts["effects"] > 100
    assert tally.counts["verdicts"] > 50


def test_the_report_has_a_row_for_each_risk() -> None:
    """Ten for models, ten for agents."""
    assert [row.id for row in ROWS] == [f"LLM{n:02}:2025" for n in range(1, 11)] + [
        f"ASI{n:02}:2026" for n in range(1, 11)
    ]


def test_a_replan_may_have_ids_that_are_none() -> None:
    """They are for the checker to refuse; looking for steps to take up anew passes over them."""
    assert stopped_in(RunFold("run"), {"steps": [{"id": {"$ref": "request"}}, {"id": ["a"]}, "b"]}) == ()
