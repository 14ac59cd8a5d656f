"""Prompts, catalogs, advice and diagnoses of models, without a socket."""

from __future__ import annotations

import pytest

from agents.models.advisor import ModelAdvisor
from agents.models.catalogs import narrowed
from agents.models.desk import Desk
from agents.models.diagnostician import ModelDiagnostician
from agents.models.pricing import Prices
from agents.models.prompts import prompt
from agents.offline.advisor import OfflineAdvisor
from agents.offline.diagnostician import OfflineDiagnostician
from agents.ports import PlanningTask
from governance.effects import Failure, FailureClass
from governance.events import Recovery
from governance.goals import Goal
from tests.fakes import FakeClock
from tests.fixtures.modelserver.answers import Answer, advises, diagnoses
from tests.unit.agents import catalogs as c
from tests.unit.agents.test_advice import HR, RULING
from tests.unit.agents.test_model_triage import FreeLedger, Scripted

DIGESTS = {
    "plan@1": "8bbc6a76c128",
    "plan@2": "41cc5e621a14",
    "choice@1": "6026f9868dfc",
    "triage@1": "00b505a8a8d9",
    "advice@1": "da3c3198a264",
    "diagnosis@1": "4364b684c779",
}


def _desk(*answers: Answer) -> Desk:
    return Desk((Scripted(*answers),), FreeLedger(), Prices({}), FakeClock())


@pytest.mark.parametrize("name", DIGESTS)
def test_a_prompt_does_not_change_without_a_new_version(name: str) -> None:
    """Decisions name their prompt: what that said must stay findable."""
    assert prompt(name).digest == DIGESTS[name]
    assert prompt(name).text.startswith(f"# Steward: {name}\n")


def test_a_large_catalog_is_narrowed_to_what_goals_and_their_inputs_need() -> None:
    """Providers of the goals, what finds their inputs, and not the hundred others."""
    others = {
        f"other.t{n}@1": c.SEND.model_copy(update={"id": f"other.t{n}@1", "provides": f"o{n}"}) for n in range(100)
    }
    needed = {spec.id: spec for spec in (c.BADGE, c.CREATE_EMPLOYEE)}
    task = PlanningTask(
        "p@1", [Goal(id="badge", provides=c.BADGE.provides, reason="r")], "", {}, {}, {**others, **needed}
    )
    kept = [spec.id for spec in narrowed(task, 10)]
    assert c.BADGE.id in kept
    assert len(kept) <= 10
    assert len(narrowed(task, 200)) == 102


async def test_a_models_yes_does_not_overrule_a_contradiction() -> None:
    """The rules see that an argument differs from the request; a person is told to look."""
    advisor = ModelAdvisor(_desk(advises("approve", "action")), OfflineAdvisor())
    decision = await advisor.advise(
        step="s", tool=c.BADGE, args={"site": "London"}, ruling=RULING, request=c.REQUEST, requester=HR
    )
    assert decision.choice == "look"
    assert "the request says Berlin" in decision.reasoning


@pytest.mark.parametrize(
    ("wished", "failure", "choice"),
    [
        ("compensate", FailureClass.PERMANENT, Recovery.ASK),
        ("retry", FailureClass.AMBIGUOUS, Recovery.ASK),
        ("replan", FailureClass.PERMANENT, Recovery.ASK),
        ("retry", FailureClass.TRANSIENT, Recovery.RETRY),
        ("ask", FailureClass.PERMANENT, Recovery.ASK),
    ],
)
async def test_a_models_diagnosis_is_bound(wished: str, failure: FailureClass, choice: Recovery) -> None:
    """It takes nothing back, and touches nothing again that may have happened; what it would do is kept beside."""
    answer = diagnoses(wished, failure="permanent", explanation="The grade is unknown.", fix="write grade 7")
    found = await ModelDiagnostician(_desk(answer), OfflineDiagnostician()).diagnose(
        step="pay", tool=c.BADGE, failure=Failure(failure=failure, message="grade?"), refused=False, attempts=1
    )
    assert found.choice is choice
    assert "The grade is unknown. What may help: write grade 7" in found.explanation
    if wished != choice.value:
        assert [other.choice for other in found.decision.alternatives] == [wished]


async def test_a_refusal_and_a_known_way_ask_no_model() -> None:
    """A person said no, or another tool is there: rules know what follows."""
    agent = ModelDiagnostician(_desk(), OfflineDiagnostician())
    failed = Failure(failure=FailureClass.PERMANENT, message="no")
    refused = await agent.diagnose(step="s", tool=None, failure=None, refused=True, attempts=1)
    another = await agent.diagnose(
        step="s", tool=None, failure=failed, refused=False, attempts=1, alternatives=["x.y@1"]
    )
    assert (refused.choice, another.choice) == (Recovery.ASK, Recovery.REPLAN)
    assert {refused.decision.use, another.decision.use} == {None}
