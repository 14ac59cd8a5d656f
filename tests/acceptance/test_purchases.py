"""Buying something, through the whole application and the pretend company's procurement: who is asked, and who is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from governance.policy import RulingKind
from governance.reviews import approve, reject
from runtime.application import Application
from runtime.views import RunView
from tests.conftest import DatabaseUrls
from tests.fixtures.company import FINANCE, HR, SECURITY, end_of, open_reviews, person, steward_on, until
from tests.sandbox.running import Company

ANNIE, GRACE, ALAN = SECURITY, "grace.hopper@acme.example", "alan.turing@acme.example"
WORKSTATIONS: dict[str, Any] = {
    "item": "12 workstations",
    "amount": 47_000,
    "supplier": "Keystone Computing",
    "category": "hardware",
    "cost_centre": "R&D",
}
MONITOR = WORKSTATIONS | {"item": "a monitor", "amount": 900, "cost_centre": "IT"}


async def _ended(steward: Application, request: dict[str, Any], by: str = ANNIE) -> RunView:
    run = await steward.start("purchase-approval", request, by=person(steward, by))
    await until(steward, run.id, "run.ended")
    return await steward.show(run.id)


async def _asked(steward: Application, request: dict[str, Any], by: str = ANNIE) -> tuple[str, Any]:
    run = await steward.start("purchase-approval", request, by=person(steward, by))
    await until(steward, run.id, "review.asked")
    return run.id, (await open_reviews(steward, run.id))["order"].card


def _budget(company: Company, centre: str) -> int:
    found = company["procurement"].get("/budgets", params={"costCentre": centre}).json()["items"]
    return int(found[0]["leftCents"]) // 100


async def test_a_small_order_from_a_known_supplier_goes_by_itself(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """900 USD: the checker could not know supplier and budget and gated; once they were read, nobody was asked."""
    async with steward_on(database_urls, home) as steward, steward.working():
        view = await _ended(steward, MONITOR)
        assert end_of(view) == "done"
        assert view.reviews == ()
        order = next(step for step in view.steps if step.id == "order")
        assert order.ruling is not None
        assert order.ruling.kind is RulingKind.GO
        kinds = [entry.kind for entry in view.timeline]
        assert kinds.count("step.ruled") == 1
        assert kinds.index("step.ruled") < kinds.index("step.intended")
        assert [effect["count"] for effect in company.effects("procurement")] == [1, 1]
        assert _budget(company, "IT") == 155_000 - 900
        assert (await steward.verify()).ok


async def test_the_47000_dollar_request_asks_finance(database_urls: DatabaseUrls, home: Path, company: Company) -> None:
    """By the rule that really applies, with what was read of supplier and budget; a yes orders and sets aside."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run_id, card = await _asked(steward, WORKSTATIONS)
        assert card.approvers == (FINANCE, HR), "finance, and the manager of who asks"
        assert card.triggered_by == "purchase-above-25000: a purchase above 25,000 USD commits the company"
        assert (card.args["budget_left"], card.args["supplier_standing"]) == (120_000, "known")
        assert company.effect_count("procurement") == 0
        advice = card.recommendation
        assert advice.choice == "approve"
        assert "120,000 are left of the budget, 73,000 after this" in advice.evidence
        assert "history: late_orders 1, orders 14, spent 318,400, supplier_standing known" in advice.evidence
        assert "no question like it was decided before" in advice.evidence
        await steward.decide(card.id, approve(reason="planned"), by=person(steward, FINANCE))
        await until(steward, run_id, "run.ended")
        assert end_of(await steward.show(run_id)) == "done"
        assert _budget(company, "R&D") == 120_000 - 47_000


async def test_the_advice_remembers_what_people_said_before_and_forgets_what_was_erased(
    database_urls: DatabaseUrls, home: Path
) -> None:
    """k of n and the nearest amounts, each with its run; two refusals of three turn a yes into a look."""
    async with steward_on(database_urls, home) as steward, steward.working():
        runs = []
        for amount, verdict in (
            (46_000, approve(reason="planned")),
            (30_000, reject(reason="too early")),
            (90_000, reject(reason="too dear")),
        ):
            run_id, card = await _asked(steward, WORKSTATIONS | {"amount": amount})
            await steward.decide(card.id, verdict, by=person(steward, FINANCE))
            await until(steward, run_id, "run.ended")
            runs.append(run_id)
        _, card = await _asked(steward, WORKSTATIONS | {"amount": 45_000})
        advice = card.recommendation
        assert advice.choice == "look"
        assert "2 of 3 questions like it were answered with no" in advice.reasoning
        assert "1 of 3 questions like it were approved as asked" in advice.evidence
        told = [line for line in advice.evidence if line.startswith("run ")]
        assert told[0] == f"run {runs[0]}: approve at 46,000 by {FINANCE}, planned"
        assert [line.partition(":")[0] for line in told] == [f"run {run}" for run in runs]
        await steward.erase(runs[2], reason="asked for", by=person(steward, HR))
        _, card = await _asked(steward, WORKSTATIONS | {"amount": 45_000})
        assert "1 of 2 questions like it were approved as asked" in card.recommendation.evidence
        assert not any(runs[2] in line for line in card.recommendation.evidence)


async def test_a_no_orders_nothing(database_urls: DatabaseUrls, home: Path, company: Company) -> None:
    """The run is taken back, and there was nothing to take back."""
    async with steward_on(database_urls, home) as steward, steward.working():
        run_id, card = await _asked(steward, WORKSTATIONS)
        await steward.decide(card.id, reject(reason="next year"), by=person(steward, FINANCE))
        await until(steward, run_id, "run.ended")
        assert end_of(await steward.show(run_id)) == "undone"
        assert company.effect_count("procurement") == 0


@pytest.mark.parametrize(
    ("change", "rule", "people"),
    [
        ({"cost_centre": "Sales", "amount": 2_500}, "purchase-above-1000", (HR,)),
        ({"cost_centre": "Sales", "amount": 900, "category": "software"}, "software-needs-it", (ALAN,)),
        ({"supplier": "Nobody Inc"}, "supplier-is-new", (FINANCE, HR)),
    ],
)
async def test_each_limit_asks_its_own_people(
    database_urls: DatabaseUrls, home: Path, change: dict[str, Any], rule: str, people: tuple[str, ...]
) -> None:
    """Amount, category and an unknown supplier: the rule that applies is named, and whoever answers for it is asked."""
    async with steward_on(database_urls, home) as steward, steward.working():
        _, card = await _asked(steward, MONITOR | change)
        assert (card.triggered_by.partition(":")[0], card.approvers) == (rule, people)


async def test_who_leads_may_spend_more_and_nobody_beyond_the_budget(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """A manager's 2,500 USD go by themselves while the budget has them; 2,000 are left to Sales, so there it is asked."""
    async with steward_on(database_urls, home) as steward, steward.working():
        view = await _ended(steward, MONITOR | {"amount": 1_900, "cost_centre": "Sales"}, by=FINANCE)
        assert view.reviews == ()
        _, card = await _asked(steward, MONITOR | {"amount": 2_500, "cost_centre": "Sales"}, by=FINANCE)
        assert card.triggered_by.startswith("beyond-the-budget:")
        assert card.approvers == (GRACE,), "not who asks, though she is finance"


async def test_nothing_is_ordered_from_a_blocked_supplier(
    database_urls: DatabaseUrls, home: Path, company: Company
) -> None:
    """The policy forbids it once the supplier's standing is read; nobody can say yes to it."""
    async with steward_on(database_urls, home) as steward, steward.working():
        view = await _ended(steward, MONITOR | {"supplier": "Quickline Freight"})
        assert end_of(view) == "undone"
        order = next(step for step in view.steps if step.id == "order")
        assert (order.state, order.problem.partition(":")[0]) == ("refused", "supplier-is-blocked")
        assert company.effect_count("procurement") == 0
