"""An onboarding that a model plans, on the sandbox company: what it asks, what it says of itself, what it costs."""

from __future__ import annotations

from pathlib import Path

from governance.effects import StepStatus
from governance.events import PlanChecked, PlanWritten, RunEnded
from governance.reviews import ReviewKind, approve
from runtime.application import Application
from runtime.views import RunView
from tests.fixtures.company import ADA, HR, open_reviews, person, until
from tests.fixtures.modelserver.answers import advises, plans
from tests.fixtures.modelserver.server import MODEL, ModelServer
from tests.integration.models.conftest import Open, good_plan


async def _run_through(steward: Application, run_id: str) -> RunView:
    """Answer every gate with a yes until the run ends."""
    await until(steward, run_id, "review.asked", count=2)
    for row in (await open_reviews(steward, run_id)).values():
        assert row.card.kind is ReviewKind.STEP, row.card.triggered_by
        await steward.decide(row.card.id, approve(), by=person(steward, row.card.approvers[0]))
    async for _ in steward.events(run_id):
        pass
    return await steward.show(run_id)


def _ended(view: RunView) -> str:
    """How the run ended, by its journal: the row follows."""
    body = view.timeline[-1].parsed()
    return body.status if isinstance(body, RunEnded) else "not yet"


async def test_a_good_model_is_asked_once_for_an_onboarding(
    open_steward: Open, server: ModelServer, home: Path
) -> None:
    """One call, for the plan; it answers for itself in the journal, and the day's account has what it took."""
    server.on("plan", plans(await good_plan(home), reasoning="Account first.", confidence=0.87))
    steward = await open_steward(model_prices={MODEL: (2.0, 10.0)})
    async with steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        view = await _run_through(steward, run.id)
    assert _ended(view) == "done"
    assert [asked.about for asked in server.asked] == ["plan"]
    (decision,) = [decision for decision in view.decisions if decision.use is not None]
    assert (decision.decider, decision.confidence) == (f"model:{MODEL}", 0.87)
    assert decision.reasoning == "Account first."
    assert decision.use is not None
    assert (decision.use.calls, decision.use.tokens_in, decision.use.tokens_out) == (1, 100, 20)
    assert decision.use.cost_microusd == 100 * 2 + 20 * 10
    assert decision.use.prompt.startswith("plan@2+")
    day = (await steward.models()).models[0].day
    assert (day.calls, day.failed, day.cost_microusd) == (1, 0, 400)


async def test_the_second_onboarding_asks_no_model(open_steward: Open, server: ModelServer, home: Path) -> None:
    """The plan that a model made is compiled once: the next request of its kind takes it over, checked anew."""
    server.on("plan", plans(await good_plan(home)))
    steward = await open_steward()
    async with steward.working():
        first = await steward.start("onboarding", ADA, by=person(steward, HR))
        assert _ended(await _run_through(steward, first.id)) == "done"
        other = {**ADA, "last_name": "Byron", "email": "ada.byron@acme.example"}
        second = await steward.start("onboarding", other, by=person(steward, HR))
        view = await _run_through(steward, second.id)
    assert _ended(view) == "done"
    assert server.count("plan") == 1
    (written,) = [body for entry in view.timeline if isinstance(body := entry.parsed(), PlanWritten)]
    assert written.author == "rule:template"
    assert any(MODEL in line for line in written.decision.evidence)


async def test_findings_go_back_to_the_model_and_its_next_plan_is_run(
    open_steward: Open, server: ModelServer, home: Path
) -> None:
    """The model is shown its plan and what is wrong with it; nothing of the wrong plan was done."""
    good = await good_plan(home)
    wrong = {**good, "steps": [{**step, "tool": "identity.make_admin@1"} for step in good["steps"]]}
    server.on("plan", plans(wrong), plans(good))
    steward = await open_steward()
    async with steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        view = await _run_through(steward, run.id)
    assert _ended(view) == "done"
    assert view.revision == 2
    again = server.asked[1].text
    assert "identity.make_admin@1" in again
    assert "<findings>" in again
    assert "<findings>" not in server.asked[0].text


async def test_after_three_repairs_people_see_the_best_plan_with_its_findings(
    open_steward: Open, server: ModelServer, home: Path
) -> None:
    """Four plans, none sound: the card has the one with the fewest errors, and no system was touched."""
    good = await good_plan(home)
    bad = {**good, "steps": [{**step, "tool": "identity.make_admin@1"} for step in good["steps"]]}
    best = {
        **good,
        "steps": [{**step, "after": ["nobody"]} if step["id"] == "badge" else step for step in good["steps"]],
    }
    server.on("plan", plans(bad), plans(best), plans(bad), plans(bad))
    steward = await open_steward()
    async with steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        await until(steward, run.id, "run.parked")
        view = await steward.show(run.id)
    (row,) = await steward.reviews(run=run.id)
    assert row.card.kind is ReviewKind.PARKED
    assert "4 attempts, and the best is revision 2" in row.card.triggered_by
    assert [step["id"] for step in row.card.args["plan"]["steps"]] == [step["id"] for step in good["steps"]]
    assert [finding["code"] for finding in row.card.args["findings"]] == ["unknown-after"]
    assert server.count("plan") == 4
    kinds = [entry.parsed() for entry in view.timeline]
    assert sum(isinstance(body, PlanWritten) for body in kinds) == 4
    assert not any(isinstance(body, PlanChecked) and body.ok for body in kinds)
    assert not any(step.state == StepStatus.DONE.value for step in view.steps)


async def test_advice_of_a_model_stands_on_the_card_where_it_is_wanted(
    open_steward: Open, server: ModelServer, home: Path
) -> None:
    """With advice switched on every gate has the model's recommendation, and a person still decides."""
    server.on("plan", plans(await good_plan(home)))
    server.always("advice", advises("look", "asked_because", "no such fact", reasoning="Look at the salary."))
    steward = await open_steward(model_for=("plan", "advice"))
    async with steward.working():
        run = await steward.start("onboarding", ADA, by=person(steward, HR))
        await until(steward, run.id, "review.asked", count=2)
        asked = await open_reviews(steward, run.id)
    for row in asked.values():
        advice = row.card.recommendation
        assert advice is not None
        assert (advice.choice, advice.decider) == ("look", f"model:{MODEL}")
        assert len(advice.evidence) == 1
        assert advice.use is not None
    assert server.count("advice") == 2
