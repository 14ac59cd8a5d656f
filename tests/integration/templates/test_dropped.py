"""Templates that are used no more: runs failed by them, or a person said so."""

from __future__ import annotations

import pytest

from governance.errors import InvalidInput, NotFound, NotPermitted, Refused
from runtime.application import Application
from tests.fixtures.company import FINANCE, HR, person, until
from tests.integration.templates.scenes import JOAN, PAID, Counted, Opens, planned
from tests.sandbox.running import Company

IT = "alan.turing@acme.example"


async def parked(steward: Application, number: int) -> str:
    """A run that is parked; the template that its plan came from."""
    request = {**PAID, "start_date": f"2027-03-{number:02}"}
    run = await steward.start("onboarding", request, by=person(steward, HR))
    await until(steward, run.id, "run.parked")
    return (await steward.show(run.id)).template


async def test_three_runs_that_fail_by_it_drop_a_template(opens: Opens, planner: Counted, company: Company) -> None:
    """A call that can never work is held against the plan. Asked again, the planner has the same one: it is kept again."""
    company.order_fault(system="identity", kind="status", status=422, times=None)
    async with opens(planner) as steward, steward.working():
        taken = [await parked(steward, number) for number in (1, 2, 3, 4)]
        assert (taken[0], len(set(taken[1:])), len(planner.asked)) == ("", 1, 1)
        (one,) = (await steward.templates()).templates
        assert (one.standing, one.row.failures, one.row.dropped_by) == ("dropped", 3, "rule:failing-template")
        assert one.row.dropped_why == "3 of 3 runs failed by it, the last at account (identity.create_account@1)"
        company["control"].delete("/faults")
        assert ((await planned(steward, JOAN)).template, len(planner.asked)) == ("", 2)
        (again,) = (await steward.templates()).templates
        assert (again.id, again.standing, again.row.hits) == (one.id, "in use", 3)


async def test_what_a_person_refuses_is_not_held_against_the_plan(opens: Opens, planner: Counted) -> None:
    """A cancelled run failed by nobody's plan."""
    async with opens(planner) as steward, steward.working():
        await planned(steward, PAID)
        run = await steward.start("onboarding", dict(JOAN), by=person(steward, HR))
        await until(steward, run.id, "plan.checked")
        await steward.cancel(run.id, reason="she starts later", by=person(steward, HR))
        await until(steward, run.id, "run.ended")
        (one,) = (await steward.templates()).templates
        assert (one.row.hits, one.row.failures) == (1, 0)


async def test_a_template_that_a_person_dropped_is_used_no_more_in_any_process(opens: Opens) -> None:
    """Another worker's copy too; and the same plan does not come back by itself."""
    here, there = Counted(), Counted()
    async with opens(here) as steward, opens(there) as other:
        async with steward.working():
            await planned(steward, PAID)
            await steward.templates()
        async with other.working():
            kept = (await planned(other, JOAN)).template
            assert kept
            dropped = await steward.drop_template(kept[:9], reason="too early", by=person(steward, IT))
            assert (dropped.dropped_by, dropped.dropped_why) == (IT, "too early")
            assert dropped.dropped_at is not None
            await other.store.templates.refresh()
            for number in (1, 2):
                assert ((await planned(other, JOAN)).template, len(there.asked)) == ("", number)
        assert [one.standing for one in (await steward.templates()).templates] == ["dropped"]


async def test_who_drops_a_template_manages_runs_and_says_why(opens: Opens, planner: Counted) -> None:
    """Each refusal is a sentence with a way out, and nothing is dropped."""
    async with opens(planner) as steward:
        async with steward.working():
            await planned(steward, PAID)
        (one,) = (await steward.templates()).templates
        it = person(steward, IT)
        with pytest.raises(InvalidInput, match="needs a reason"):
            await steward.drop_template(one.id, reason=" ", by=it)
        with pytest.raises(NotPermitted, match="may not drop"):
            await steward.drop_template(one.id, reason="too early", by=person(steward, FINANCE))
        with pytest.raises(NotFound, match="no template"):
            await steward.drop_template("pt-ffffffff", reason="too early", by=it)
        assert (await steward.templates()).templates[0].standing == "in use"
        await steward.drop_template(one.id, reason="too early", by=it)
        with pytest.raises(Refused, match="dropped before"):
            await steward.drop_template(one.id, reason="too early", by=it)
