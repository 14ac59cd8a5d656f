"""When something is due about a question, and what people see of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from governance.deciding import require_in_time
from governance.errors import Refused
from governance.escalation import first_standing, marks, standing_at
from governance.reviews import ReviewCard
from playbooks.model import Sla, rungs

ASKED = datetime(2027, 1, 4, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
CARD = ReviewCard(
    id="rv-1",
    run_id="r",
    title="Pay",
    question="May it?",
    triggered_by="money",
    approvers=("mary.jackson@acme.example",),
    requester="katherine.johnson@acme.example",
    asked_at=ASKED,
    due_at=ASKED + 10 * HOUR,
)


def test_a_level_reminds_at_half_warns_at_four_fifths_and_ends() -> None:
    """Each once: what was said is not due any more."""
    standing = first_standing(CARD)
    assert standing.next_at == ASKED + 5 * HOUR
    standing = standing.reminded(ASKED + 5 * HOUR, 1, None)
    assert standing.next_at == ASKED + 8 * HOUR
    standing = standing.warned(ASKED + 8 * HOUR)
    assert standing.next_at == ASKED + 10 * HOUR


def test_a_question_without_a_due_time_never_goes_up() -> None:
    """As journals from before escalation have them."""
    standing = first_standing(CARD.model_copy(update={"due_at": None}))
    assert standing.next_at is None
    assert list(marks(standing, ASKED + 100 * HOUR)) == []


def test_only_the_last_level_closes_the_door() -> None:
    """On the levels before it an answer counts however late it is, until somebody looks and asks the next."""
    require_in_time(None, ASKED)
    require_in_time(first_standing(CARD), ASKED + 20 * HOUR)
    last = standing_at(2, ASKED, ASKED + HOUR, ends=True)
    require_in_time(last, ASKED)
    with pytest.raises(Refused, match="over at 2027-01-04 10:00 UTC"):
        require_in_time(last, ASKED + HOUR)


def test_marks_say_level_reminders_and_risk_with_their_age() -> None:
    """What a person sees of a question at a glance."""
    standing = standing_at(1, ASKED, ASKED + 10 * HOUR, ends=True)
    standing = standing.reminded(ASKED + 5 * HOUR, 1, None).warned(ASKED + 8 * HOUR)
    assert list(marks(standing, ASKED + 9 * HOUR)) == [
        "level 1, 9 h ago",
        "reminded 4 h ago",
        "at risk",
    ]
    assert list(marks(standing, ASKED + 11 * HOUR))[-1] == "overdue"
    stays = standing_at(1, ASKED, None).reminded(ASKED + 48 * HOUR, 2, None)
    assert list(marks(stays, ASKED + 49 * HOUR)) == [
        "end of its chain",
        "reminded 1 h ago",
    ]


def test_the_ladder_without_escalation_is_the_chain_and_without_that_the_managers() -> None:
    """Every level has the hours of the SLA."""
    assert [(rung.to, rung.hours) for rung in rungs((), ("hr", "it"), Sla(review_hours=6))] == [
        ((), 6),
        (("hr",), 6),
        (("it",), 6),
    ]
    assert [rung.to for rung in rungs((), (), Sla())] == [(), ("manager",)]
