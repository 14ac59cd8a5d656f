"""Which review, run or step somebody means."""

from __future__ import annotations

import pytest

from governance.reviews import ReviewCard, ReviewStatus
from governance.runs import ReviewRow
from surfaces.chat.targets import reviews_meant
from tests.fakes import FIRST_MOMENT


def row(number: int, step: str, tool: str, name: str) -> ReviewRow:
    """A question about a step of somebody's onboarding."""
    card = ReviewCard(
        id=f"rv-{number:012x}",
        run_id="run",
        step=step,
        title=f"Onboard {name}",
        tool=tool,
        args={"display_name": name},
        question="May Steward do this?",
        triggered_by="a rule",
        approvers=(),
        requester="katherine.johnson@acme.example",
        asked_at=FIRST_MOMENT,
    )
    return ReviewRow(card, ReviewStatus.OPEN)


ROWS = [
    row(1, "badge", "security.issue_badge@1", "Ada Lovelace"),
    row(2, "employee", "payroll.create_employee@1", "Ada Lovelace"),
    row(3, "employee", "payroll.create_employee@1", "Charles Babbage"),
]


@pytest.mark.parametrize(
    ("target", "meant"),
    [
        ("badge", [1]),
        ("the badge for Ada", [1]),
        ("salary", [2, 3]),
        ("payroll of Charles Babbage", [3]),
        ("rv-000000000002", [2]),
        ("", [1, 2, 3]),
        ("the moon", []),
    ],
)
def test_the_best_fit_is_meant_and_ties_are_not_guessed(target: str, meant: list[int]) -> None:
    """Ids first, then the words of step and tool, then all other words."""
    assert [int(found.card.id[3:], 16) for found in reviews_meant(target, ROWS)] == meant
