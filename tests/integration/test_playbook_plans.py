"""The playbooks that ship, the offline planner, the nine systems' tools and the checker, together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from agents.offline.planner import OfflinePlanner
from agents.offline.triage import OfflineTriage
from agents.ports import PlanningTask, Proposal, Understood
from governance.conditions import Truth
from governance.policy import Policy, RulingKind
from plans.checked import Checked, CheckedPlan, Premises
from plans.checker import check
from plans.language import Plan
from plans.resolve import resolve_args, should_run
from playbooks.check import check_playbook
from playbooks.company import Company, load_company
from playbooks.model import Playbook
from playbooks.requests import closed_schema, validate_request
from tools.catalog import Catalog, load_catalog
from tools.contract import Existing

DEMO = "Onboard Ada Lovelace as a software engineer in R&D, starting 1 January 2027, manager grace.hopper@acme.example"
LEAVE = "Offboard Ada Lovelace from R&D, last day 31 March 2027, manager Grace Hopper"
NINE = {"identity", "payroll", "orgchart", "facilities", "security", "training", "benefits", "expenses", "mail"}


@pytest.fixture(scope="module")
def company() -> Company:
    """Playbooks, policy and people that ship."""
    return load_company()


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Our nine systems' tools."""
    return load_catalog(None)


def _playbook(company: Company, name: str) -> Playbook:
    return next(playbook for playbook in company.playbooks if playbook.name == name)


async def _understood(company: Company, text: str) -> tuple[Playbook, dict[str, Any]]:
    heard = await OfflineTriage().understand(
        text, playbooks=company.playbooks, directory=company.directory, today=date(2026, 11, 22)
    )
    assert isinstance(heard, Understood)
    assert heard.ready
    playbook = next(one for one in company.playbooks if one.id == heard.playbook)
    return playbook, validate_request(playbook, heard.request)


async def _proposed(playbook: Playbook, request: Mapping[str, Any], catalog: Catalog) -> Proposal:
    return await OfflinePlanner().plan(
        PlanningTask(
            playbook=playbook.id,
            goals=playbook.goals,
            guidance=playbook.guidance,
            request=request,
            request_schema=closed_schema(playbook),
            tools=catalog.specs,
        )
    )


async def _checked(
    company: Company,
    playbook: Playbook,
    request: Mapping[str, Any],
    catalog: Catalog,
    *,
    schema: Mapping[str, Any] | None = None,
) -> Checked:
    """What the checker says of the planner's plan, for the head of People; by default against the closed schema."""
    requester = company.directory.find("katherine.johnson@acme.example")
    assert requester is not None
    proposal = await _proposed(playbook, request, catalog)
    premises = Premises(
        tools=catalog.specs,
        request_schema=schema or closed_schema(playbook),
        request=request,
        goals=playbook.goals,
        policy=Policy([*company.policy, *playbook.policy]),
        directory=company.directory,
        requester=requester,
        untrusted=playbook.untrusted,
    )
    return check(proposal.plan, premises)


def _gates(checked: Checked) -> dict[str, tuple[str, ...]]:
    return {ruling.step: ruling.approvers for ruling in checked.rulings if ruling.kind is RulingKind.GATE}


def test_the_playbooks_fit_the_tools_and_the_people(company: Company, catalog: Catalog) -> None:
    """``steward playbook check`` has nothing to say about what ships."""
    for playbook in company.playbooks:
        assert check_playbook(playbook, catalog.specs, company.directory) == ()


async def test_the_demo_onboarding_passes_with_exactly_two_reviews(company: Company, catalog: Catalog) -> None:
    """From the sentence to a checked plan: finance sees the salary, security the badge, nobody is asked in vain."""
    playbook, request = await _understood(company, DEMO)
    checked = await _checked(company, playbook, request, catalog)
    assert checked.findings == ()
    as_written = await _checked(company, playbook, request, catalog, schema=playbook.request)
    assert as_written.findings == ()
    assert checked.plan is not None
    assert _gates(checked) == {
        "employee": ("mary.jackson@acme.example",),
        "badge": ("annie.easley@acme.example",),
    }
    rules = {ruling.step: ruling.rule for ruling in checked.rulings}
    assert rules["welcome"] == "mail-to-staff-goes"
    assert {step.tool.partition(".")[0] for step in checked.plan.plan.steps} == NINE


async def test_the_demo_plan_says_where_each_value_comes_from(company: Company, catalog: Catalog) -> None:
    """The planner finds what the playbook leaves open: salary, manager and desk are read, the account is shared."""
    playbook, request = await _understood(company, DEMO)
    plan = Plan.model_validate((await _proposed(playbook, request, catalog)).plan)
    assert plan.step("employee").args["annual_salary"] == {"$ref": "find_job_title.annual_salary"}
    assert plan.step("position").args["manager_id"] == {"$ref": "manager_find_person.employee_id"}
    assert plan.step("manager_find_person").args == {"email": {"$ref": "request.manager"}}
    assert plan.step("desk").args["desk_code"] == {"$ref": "find_free_desk.desk_code"}
    assert plan.step("find_free_desk").when == plan.step("desk").when
    accounts = [step.args.get("account_id", step.args.get("user_id")) for step in plan.steps]
    assert [account for account in accounts if account] == [{"$ref": "account.user_id"}] * 4
    assert len(plan.steps) == 14
    assert min(step.confidence for step in plan.steps) >= 0.95


async def test_a_given_salary_is_used_and_not_looked_up(company: Company, catalog: Catalog) -> None:
    """And an amount that finance need not see passes without it."""
    playbook, request = await _understood(company, f"{DEMO}, salary 28,000")
    checked = await _checked(company, playbook, request, catalog)
    assert checked.plan is not None
    assert "find_job_title" not in {step.id for step in checked.plan.plan.steps}
    assert set(_gates(checked)) == {"badge"}


async def test_offboarding_passes_and_ends_the_employment_last(company: Company, catalog: Catalog) -> None:
    """All that can be taken back comes first; finance sees the one thing that cannot; the mail tells of it."""
    playbook, request = await _understood(company, LEAVE)
    checked = await _checked(company, playbook, request, catalog)
    assert checked.findings == ()
    assert checked.plan is not None
    assert _gates(checked) == {"employment_ended": ("mary.jackson@acme.example",)}
    assert {step.tool.partition(".")[0] for step in checked.plan.plan.steps} == NINE
    assert checked.plan.plan.step("farewell").after == ("employment_ended",)
    assert "account_closed" in checked.plan.needs["employment_ended"]


@pytest.mark.parametrize("name", ["onboarding", "offboarding"])
@pytest.mark.parametrize("department", ["R&D", "Finance", "Sales", "People", "IT"])
@pytest.mark.parametrize("work_mode", ["office", "remote"])
async def test_every_kind_of_request_has_a_plan_that_passes_and_runs(
    company: Company, catalog: Catalog, name: str, department: str, work_mode: str
) -> None:
    """Checked without a finding, and every step's resolved arguments fit its tool when run on simulators."""
    playbook = _playbook(company, name)
    given: dict[str, Any] = {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "department": department,
        "work_mode": work_mode,
        "manager": "grace.hopper@acme.example",
    }
    own = {"job_title": "Analyst", "start_date": "2027-01-01"} if name == "onboarding" else {"last_day": "2027-03-31"}
    request = validate_request(playbook, given | own)
    checked = await _checked(company, playbook, request, catalog)
    assert checked.findings == ()
    assert checked.plan is not None
    ran = _simulated(checked.plan, catalog, request)
    assert ran == {step.id for step in checked.plan.plan.steps}
    assert any(step.startswith(("desk", "badge")) for step in ran) == (work_mode != "remote")
    assert any(step.startswith("engineering") for step in ran) == (department == "R&D")


def _simulated(plan: CheckedPlan, catalog: Catalog, request: Mapping[str, Any]) -> set[str]:
    """Run a plan on its tools' simulators, each step once what it needs is there; returns the steps that ran."""
    scope: dict[str, Any] = {"request": dict(request)}
    left = {step.id: step for step in plan.plan.steps}
    while left:
        ready = [step for step in left.values() if not plan.needs[step.id] & left.keys()]
        assert ready
        for step in ready:
            del left[step.id]
            if should_run(step, scope) is not Truth.YES:
                continue
            tool = catalog[step.tool]
            wanted = tool.input.model_validate_json(json.dumps(resolve_args(step, scope, tool.spec)))
            output = tool.simulate(wanted, step.id)
            assert not isinstance(output, Existing)
            scope[step.id] = output.model_dump(mode="json")
    return scope.keys() - {"request"}
