"""Plans are compiled once: who is asked for the second run of a kind."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from agents.offline.planner import OfflinePlanner
from agents.ports import PlanningTask, Proposal
from governance.decisions import ModelUse
from governance.effects import EffectClass
from governance.events import PlanChecked
from runtime.knowledge import load_knowledge
from tests.conftest import DatabaseUrls
from tests.fixtures.company import HR, person
from tests.integration.templates.scenes import JOAN, PAID, Counted, Opens, acts, planned

LEAVER = {
    "email": "mary.jackson@acme.example",
    "department": "Finance",
    "last_day": "2027-03-31",
    "manager": "grace.hopper@acme.example",
}


async def test_the_second_onboarding_asks_the_planner_nothing(opens: Opens, planner: Counted) -> None:
    """Another person of the same shape: no call, the same acts, checked; and the decision says whose plan it is."""
    async with opens(planner) as steward, steward.working():
        first = await planned(steward, PAID)
        second = await planned(steward, JOAN)
        assert len(planner.asked) == 1
        assert acts(first) == acts(second)
        (newer, older) = await steward.runs()
        view = await steward.show(newer.id)
        checked = [body for entry in view.timeline if isinstance(body := entry.parsed(), PlanChecked)]
        assert [body.ok for body in checked] == [True]
        assert (first.template, first.author) == ("", "rule:backward-planner")
        assert (second.author, second.decision.decider) == ("rule:template", "rule:template")
        assert second.decision.use is None, "no model was asked"
        assert second.template == view.template
        assert any(older.id in line and "rule:backward-planner" in line for line in second.decision.evidence)
        kept = await steward.templates()
        assert (kept.hits, kept.planned) == (1, 1)
        assert [(one.id, one.standing, one.row.hits) for one in kept.templates] == [(second.template, "in use", 1)]


async def test_what_asking_a_model_took_is_what_the_next_run_saves(opens: Opens) -> None:
    """Calls, cost and time of the first plan, once for each run that takes it over."""

    @dataclass
    class Modelled(Counted):
        async def plan(self, task: PlanningTask) -> Proposal:
            proposal = await super().plan(task)
            use = ModelUse(model="a-model", prompt="plan@1", calls=2, cost_microusd=12_300)
            return replace(proposal, decision=proposal.decision.model_copy(update={"use": use}))

    planner = Modelled("model:a-model, plan@1")
    async with opens(planner) as steward, steward.working():
        for request in (PAID, JOAN, {**PAID, "start_date": "2027-05-03"}):
            taken = await planned(steward, request)
        assert len(planner.asked) == 1
        assert "saved 2 model calls, $0.0123" in taken.decision.evidence[-1]
        (one,) = (await steward.templates()).templates
        assert (one.saved_calls, one.saved_microusd) == (4, 24_600)
        assert one.saved_ms == 2 * one.row.template.took_ms


async def test_another_worker_and_a_restart_find_the_same_template(opens: Opens, planner: Counted) -> None:
    """The row is what counts; a process that has just begun asks the planner nothing either."""
    async with opens(planner) as steward, steward.working():
        await planned(steward, PAID)
    other = Counted()
    async with opens(other) as steward, steward.working():
        assert (await planned(steward, JOAN)).template
    assert other.asked == []


async def test_another_shape_asks_again(opens: Opens, planner: Counted) -> None:
    """Remote work, another department, a salary that is not given: each is planned once, and then not again."""
    remote, finance = {**JOAN, "work_mode": "remote"}, {**JOAN, "department": "Finance"}
    unpaid = {name: value for name, value in JOAN.items() if name != "annual_salary"}
    async with opens(planner) as steward, steward.working():
        for number, request in enumerate((PAID, remote, finance, unpaid), start=1):
            written = await planned(steward, request)
            assert (written.template, len(planner.asked)) == ("", number)
        assert "desk" not in [
            step["id"] for step in (await planned(steward, {**remote, "first_name": "Ada"})).plan["steps"]
        ]
        assert len(planner.asked) == 4
        leaving = await planned(steward, LEAVER, "offboarding")
        assert (leaving.template, len(planner.asked)) == ("", 5)


async def test_a_changed_playbook_catalog_or_planner_asks_again(opens: Opens, planner: Counted, home: Path) -> None:
    """What is planned from is in the key; and the template of before is shown as out of date."""
    async with opens(planner) as steward, steward.working():
        first = await planned(steward, PAID)
    known = load_knowledge(home)
    changed = known.playbooks["onboarding@1"].model_copy(update={"guidance": "Be quick."})
    changed = type(changed).model_validate(changed.model_dump())
    used = {step["tool"] for step in first.plan["steps"]}
    spare = next(tool for tool in known.catalog.tools if tool.id not in used and tool.spec.effect is EffectClass.READ)
    smaller = replace(known.catalog, tools=tuple(tool for tool in known.catalog.tools if tool is not spare))
    for planned_by, changes in (
        (Counted(), {"playbooks": {**known.playbooks, "onboarding@1": changed}}),
        (Counted(), {"catalog": smaller}),
        (Counted("rule:backward-planner@2"), {}),
    ):
        async with opens(planned_by, **changes) as steward, steward.working():
            await planned(steward, JOAN)
            assert len(planned_by.asked) == 1
            assert {one.standing for one in (await steward.templates()).templates} == {"in use", "out of date"}


async def test_a_planner_without_an_identity_is_always_asked(opens: Opens, planner: Counted) -> None:
    """Nobody can say whether it would plan the same again."""

    class Nameless:
        async def plan(self, task: PlanningTask) -> Proposal:
            planner.asked.append(task)
            return await OfflinePlanner().plan(task)

    async with opens(Nameless()) as steward, steward.working():
        assert [(await planned(steward, each)).template for each in (PAID, JOAN)] == ["", ""]
        assert len(planner.asked) == 2
        assert (await steward.templates()).templates == ()


async def test_a_template_that_does_not_pass_the_check_is_not_used(
    opens: Opens, planner: Counted, database_urls: DatabaseUrls
) -> None:
    """The checker is the judge: somebody spoilt the row, the planner is asked, and the run has a sound plan."""
    async with opens(planner) as steward, steward.working():
        first = await planned(steward, PAID)
    async with await psycopg.AsyncConnection.connect(database_urls.owner_url) as owner:
        row = await (await owner.execute("SELECT body FROM plan_template")).fetchone()
        assert row is not None
        body = json.loads(row[0])
        body["plan"]["steps"][0]["tool"] = "identity.create_acount@1"
        await owner.execute("UPDATE plan_template SET body = %s", [json.dumps(body)])
    other = Counted()
    async with opens(other) as steward, steward.working():
        written = await planned(steward, JOAN)
        assert (written.template, len(other.asked)) == ("", 1)
        assert acts(written) == acts(first)
        assert "the kept plan does not pass the check for this request" in [
            miss.why for miss in (await steward.templates()).misses
        ]


async def test_what_never_becomes_of_a_run_does_not_become_a_template(opens: Opens, planner: Counted) -> None:
    """A preview and a dry run are planned for themselves: neither takes a template nor leaves one."""
    async with opens(planner) as steward:
        await steward.preview("onboarding", dict(PAID), by=person(steward, HR))
        ask = {"playbook": "onboarding", "request": dict(PAID), "by": HR}
        await steward.graph.ainvoke({"ask": ask}, {"configurable": {"thread_id": "templates-dry"}})
        assert len(planner.asked) == 2
        assert (await steward.templates()).templates == ()
