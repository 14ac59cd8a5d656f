"""Advisor and diagnostician: one rule each, and it says so."""

from __future__ import annotations

from typing import Any

import pytest

from agents.offline.advisor import OfflineAdvisor
from agents.offline.diagnostician import OfflineDiagnostician
from governance.effects import Failure, FailureClass
from governance.events import Recovery
from governance.people import Person
from governance.policy import Ruling, RulingKind
from tests.unit.agents import catalogs as c
from tools.contract import ToolSpec

RULING = Ruling(step="s", kind=RulingKind.GATE, rule="r", because="money commits")
HR = Person(id="katherine.johnson@acme.example", name="Katherine Johnson")
PAY = c.CREATE_EMPLOYEE.model_copy(update={"amount": "salary"})


@pytest.mark.parametrize(
    ("tool", "args", "choice", "word"),
    [
        (c.BADGE, {"site": "Berlin"}, "approve", "agrees with the request"),
        (c.BADGE, {"site": "London"}, "reject", "the request says Berlin"),
        (c.SEND, {"to": c.REQUEST["email"]}, "look", "cannot be taken back"),
        (PAY, {"email": c.REQUEST["email"], "salary": 90_000}, "look", "90,000"),
        (c.BADGE, {"to": "Katherine.Johnson@acme.example"}, "look", "who asked for it"),
        (c.BADGE, {}, "approve", "agrees"),
    ],
)
async def test_advice_compares_the_action_with_the_request(
    tool: ToolSpec, args: dict[str, Any], choice: str, word: str
) -> None:
    """Contradiction: reject; something to look at: look; nothing against it: approve."""
    decision = await OfflineAdvisor().advise(
        step="s", tool=tool, args=args, ruling=RULING, request=c.REQUEST, requester=HR
    )
    assert decision.choice == choice
    assert word in decision.reasoning
    assert "money commits" in decision.reasoning
    assert decision.decider == "rule:advisor"


def _failure(kind: FailureClass) -> Failure:
    return Failure(failure=kind, message="payroll says no.", fix="ask Mary")


@pytest.mark.parametrize(
    ("failure", "refused", "rule", "choice"),
    [
        (_failure(FailureClass.TRANSIENT), False, "rule:exhausted", Recovery.ASK),
        (_failure(FailureClass.PERMANENT), False, "rule:permanent", Recovery.ASK),
        (_failure(FailureClass.AMBIGUOUS), False, "rule:ambiguous", Recovery.ASK),
        (None, True, "rule:refusal", Recovery.ASK),
        (_failure(FailureClass.PERMANENT), True, "rule:refusal", Recovery.ASK),
        (None, False, "rule:cancel", Recovery.COMPENSATE),
    ],
)
@pytest.mark.parametrize("tool", [None, c.BADGE])
async def test_every_way_to_end_badly_has_one_rule(
    failure: Failure | None, refused: bool, rule: str, choice: Recovery, tool: ToolSpec | None
) -> None:
    """Total over its inputs; nothing uncertain is retried or undone by itself."""
    diagnosis = await OfflineDiagnostician().diagnose(
        step="badge", tool=tool, failure=failure, refused=refused, attempts=4
    )
    assert (diagnosis.decision.decider, diagnosis.choice) == (rule, choice)
    assert diagnosis.decision.choice == choice.value


async def test_an_explanation_says_what_happened_how_often_and_what_may_help() -> None:
    """One text for the person who has to decide."""
    diagnosis = await OfflineDiagnostician().diagnose(
        step="badge", tool=c.BADGE, failure=_failure(FailureClass.TRANSIENT), refused=False, attempts=4
    )
    assert diagnosis.explanation == (
        "badge (security.issue_badge) failed after 4 attempts: payroll says no. The system did not answer in all"
        " attempts: resume when it is back, and nothing is done twice. What may help: ask Mary."
    )
